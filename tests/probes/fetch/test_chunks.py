"""The chunked transfer coding: what was sent comes out, and what is none is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.connection import Broken
from probes.errors import ErrorClass
from probes.fetch.chunks import MAX_LINE_BYTES, MAX_TRAILER_BYTES, Chunks

END = b"0\r\n\r\n"


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts) + END


@given(st.lists(st.binary(min_size=1, max_size=40)), st.integers(1, 50))
def test_what_was_sent_comes_out(parts: list[bytes], step: int) -> None:
    chunks, text = Chunks(), chunked(parts)
    content = b"".join(chunks.decode(text[at : at + step]) for at in range(0, len(text), step))
    assert content == b"".join(parts)
    assert chunks.is_over


@given(st.lists(st.binary(min_size=1, max_size=40)), st.data())
def test_it_is_not_over_before_its_end(parts: list[bytes], data: st.DataObject) -> None:
    chunks, text = Chunks(), chunked(parts)
    content = chunks.decode(text[: data.draw(st.integers(0, len(text) - 1))])
    assert not chunks.is_over
    assert b"".join(parts).startswith(content)


def test_what_follows_is_nobodys() -> None:
    chunks = Chunks()
    assert chunks.decode(b"2\r\nok\r\n" + END + b"2\r\nno\r\n" + END) == b"ok"


def fault_of(*pieces: bytes) -> ErrorClass:
    chunks = Chunks()
    with pytest.raises(Broken) as caught:
        [chunks.decode(piece) for piece in pieces]
    return caught.value.fault.error_class


@pytest.mark.parametrize(
    "text",
    [
        *(b"\r\n", b"x\r\n", b"-1\r\n", b"+1\r\n", b" 1\r\n", b"g\r\n", b"1" * 17 + b"\r\n"),
        *(b"2\r\nokay\r\n", b"2\r\nok2\r\n", b"0\r\nno trailer\r\n"),
    ],
)
def test_what_is_no_chunk(text: bytes) -> None:
    assert fault_of(text) == ErrorClass.PROTOCOL


def test_lines_and_trailers_have_caps() -> None:
    assert fault_of(b"2;" + b"x" * MAX_LINE_BYTES) == ErrorClass.TOO_LARGE
    assert fault_of(b"2;", *[b"x" * 100] * 200) == ErrorClass.TOO_LARGE
    assert fault_of(b"0\r\n", *[b"A: b\r\n"] * (MAX_TRAILER_BYTES // 4 + 1)) == ErrorClass.TOO_LARGE
