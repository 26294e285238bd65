"""The content codings that we can undo (RFC 9110 section 8.4.1)."""

from __future__ import annotations

import zlib

from probes.connection import Broken
from probes.errors import ErrorClass

WINDOWS = {b"gzip": (31,), b"x-gzip": (31,), b"deflate": (15, -15)}
"""By what `zlib` calls their window. Only gzip is asked for; deflate comes without its header, too."""


class Decoder:
    """Undoes `coding`. Raises `Broken` for one that we do not know."""

    def __init__(self, coding: bytes) -> None:
        if coding not in WINDOWS:
            raise Broken(ErrorClass.PROTOCOL, "the body has a coding that was not asked for")
        self._ways = [zlib.decompressobj(window) for window in WINDOWS[coding]]

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """Decodes some bytes, to so many at most. What follows the end is nobody's. Raises `Broken`."""
        if self._ways[0].eof:
            return b""
        try:
            return self._ways[0].decompress(data, max_bytes)
        except zlib.error as error:
            if len(self._ways) == 1:
                raise Broken(ErrorClass.PROTOCOL, f"the body cannot be decoded: {error}") from error
        self._ways.pop(0)
        return self.decode(data, max_bytes)
