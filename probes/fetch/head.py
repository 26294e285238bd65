"""What the head of an HTTP/1.1 response says: its status, and how its body is sent (RFC 9112).

As liberal as libcurl, so that a target fares alike with and without TLS: lines may end in LF, names may have
any characters. There is one exchange a connection and nobody behind us, so nothing is smuggled by that.
"""

from __future__ import annotations

import re

import msgspec

from probes.connection import Broken
from probes.errors import ErrorClass

HEAD = re.compile(
    rb"http/(?:1\.[01]|2) (\d{3})[^\0\r\n]*\r?\n"  # there are servers that answer in 1.1 and call it 2
    rb"(?:(?:[^\0\r\n:]*:|[ \t])[^\0\r\n]*\r?\n)*+\r?\n"
)
"""Of a head in lower case, as all that follow. A line has a colon, or goes on from the one before it."""
FOLD = re.compile(rb"\r?\n[ \t]+")
FRAMING = re.compile(rb"\n(content-length|transfer-encoding|content-encoding)[ \t]*:([^\r\n]*)")
MOST_DIGITS = 18
"""A length of more says nothing."""
IDENTITY = (b"", b"identity")
NONE = b"none"
"""What many servers call identity; libcurl takes it for a content coding, not for a transfer coding."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """Status, and how the body is sent. Without chunks and without a length it goes on until the end."""

    status_code: int
    is_chunked: bool
    length: int | None
    coding: bytes
    """Empty for none."""
    is_folded: bool = False
    """Whether a field goes on in a second line."""


def parse_head(text: bytes) -> Head:
    """What a head says, from its status line to its empty line. Raises `Broken`."""
    lowered = text.lower()
    if not (match := HEAD.fullmatch(lowered)):
        raise Broken(ErrorClass.PROTOCOL, "the headers are not those of HTTP/1.1")
    is_folded = b"\n " in lowered or b"\n\t" in lowered
    said: dict[bytes, bytes] = {}
    for name, value in FRAMING.findall(unfolded(lowered) if is_folded else lowered):
        said[name] = said[name] + b"," + value if name in said else value.strip()
    transfer, length = said.get(b"transfer-encoding"), said.get(b"content-length")
    coding = said.get(b"content-encoding")
    return Head(
        int(match[1]),
        transfer is not None and _is_chunked(transfer),
        None if length is None else _length(length),
        b",".join(each for each in _codings(coding) if each != NONE) if coding else b"",
        is_folded,
    )


def unfolded(text: bytes) -> bytes:
    """A head in which each field is one line (RFC 9112 section 5.2)."""
    return FOLD.sub(b" ", text)


def _codings(value: bytes) -> list[bytes]:
    return [coding for coding in map(bytes.strip, value.split(b",")) if coding not in IDENTITY]


def _is_chunked(value: bytes) -> bool:
    codings = set(_codings(value))
    if codings - {b"chunked"}:
        raise Broken(ErrorClass.PROTOCOL, "the answer has a transfer coding that was not asked for")
    return bool(codings)


def _length(value: bytes) -> int | None:
    """Said more than once, it must be the same (section 6.3)."""
    if b"," in value:
        value, *others = set(map(bytes.strip, value.split(b",")))
        value = b"" if others else value
    if not value.isdigit():
        raise Broken(ErrorClass.PROTOCOL, "the length of the body is not a number")
    return int(value) if len(value) <= MOST_DIGITS else None
