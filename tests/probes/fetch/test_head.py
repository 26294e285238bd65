"""What the head of a response says."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.connection import Broken
from probes.fetch.head import Head, parse_head

FIRST = b"HTTP/1.1 200 OK\r\n"


def head_of(*lines: bytes) -> Head:
    return parse_head(FIRST + b"".join(line + b"\r\n" for line in lines) + b"\r\n")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], Head(200, False, None, b"")),
        ([b"Content-Length: 12"], Head(200, False, 12, b"")),
        ([b"content-LENGTH:12 "], Head(200, False, 12, b"")),
        ([b"Content-Length: 12", b"Content-Length: 12"], Head(200, False, 12, b"")),
        ([b"Content-Length: 12, 12"], Head(200, False, 12, b"")),
        ([b"Content-Length: " + b"9" * 18], Head(200, False, 10**18 - 1, b"")),
        ([b"Content-Length: " + b"9" * 19], Head(200, False, None, b"")),
        ([b"Content-Length: " + b"9" * 5000], Head(200, False, None, b"")),
        ([b"Content-Length:", b"\t12"], Head(200, False, 12, b"", is_folded=True)),
        ([b"Transfer-Encoding: chunked"], Head(200, True, None, b"")),
        ([b"Transfer-Encoding: Chunked", b"Content-Length: 3"], Head(200, True, 3, b"")),
        ([b"Transfer-Encoding: identity"], Head(200, False, None, b"")),
        ([b"Content-Encoding: GZip"], Head(200, False, None, b"gzip")),
        ([b"Content-Encoding: identity"], Head(200, False, None, b"")),
        ([b"Content-Encoding: gzip, identity"], Head(200, False, None, b"gzip")),
        ([b"Content-Encoding: gzip", b"Content-Encoding: br"], Head(200, False, None, b"gzip,br")),
        (
            [b"X-Content-Length: 5", b"Content-Length-X: 5", b"X: Content-Length: 5"],
            Head(200, False, None, b""),
        ),
    ],
)
def test_how_the_body_is_sent(lines: list[bytes], expected: Head) -> None:
    assert head_of(*lines) == expected


@pytest.mark.parametrize(
    "line",
    [
        *(b"Content-Length: x", b"Content-Length: -1", b"Content-Length: +1", b"Content-Length: 1.0"),
        *(b"Content-Length:", b"Content-Length: 1, 2", b"Content-Length: 0x1", "Content-Length: ²".encode()),
        *(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked, gzip", b"Transfer-Encoding: x"),
        *(b"no colon", b"X: a\0b", b"X: a\rb"),
    ],
)
def test_what_is_no_head(line: bytes) -> None:
    with pytest.raises(Broken):
        head_of(line)


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 20", b"HTTP/1.2 200", b"HTTP/1.1  200", b"HTTP/3 200", b"ICY 200"]
)
def test_what_is_no_status(first: bytes) -> None:
    with pytest.raises(Broken):
        parse_head(first + b" OK\r\n\r\n")


@pytest.mark.parametrize(
    ("first", "status"),
    [(b"HTTP/1.0 404", 404), (b"HTTP/1.1 999", 999), (b"HTTP/2 200", 200), (b"http/1.1 200", 200)],
)
def test_the_status(first: bytes, status: int) -> None:
    assert parse_head(first + b" OK\r\n\r\n").status_code == status


@given(st.text("\n\r \t:,\0aA1", max_size=60))
def test_any_head_is_parsed_or_refused(text: str) -> None:
    with suppress(Broken):
        assert parse_head(FIRST + text.encode() + b"\r\n\r\n").status_code == 200
