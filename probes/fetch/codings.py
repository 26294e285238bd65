"""The content codings that we can undo (RFC 9110 section 8.4.1)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from probes.connection import Broken
from probes.errors import ErrorClass

WINDOWS = {b"gzip": (31,), b"x-gzip": (31,), b"deflate": (15, -15)}
"""By what `zlib` calls their window. Only gzip is asked for; deflate comes without its header, too."""

Decode = Callable[[bytes, int], bytes]
"""Decodes some bytes, to so many at most. Raises `Broken`."""


def decoder(coding: bytes) -> Decode:
    """What undoes `coding`. Raises `Broken`."""
    if coding not in WINDOWS:
        raise Broken(ErrorClass.PROTOCOL, "the body has a coding that was not asked for")
    ways = [zlib.decompressobj(window) for window in WINDOWS[coding]]

    def decode(data: bytes, max_bytes: int) -> bytes:
        try:
            return ways[0].decompress(data, max_bytes)
        except zlib.error as error:
            if len(ways) == 1:
                raise Broken(ErrorClass.PROTOCOL, f"the body cannot be decoded: {error}") from error
        ways.pop(0)
        return decode(data, max_bytes)

    return decode
