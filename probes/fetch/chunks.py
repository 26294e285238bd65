"""The chunked transfer coding of HTTP/1.1, piece by piece (RFC 9112 section 7.1)."""

from __future__ import annotations

import re
from enum import Enum

from probes.connection import Broken
from probes.errors import ErrorClass

SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?![0-9A-Fa-f])")
"""What follows on the line is an extension, which nobody uses."""
FIRST_LINE, LAST_LINE = re.compile(SIZE.pattern + rb"[^\n]{0,99}\n"), re.compile(rb"\r*\n")
MAX_LINE_BYTES = 16 * 1024
MAX_TRAILER_BYTES = 64 * 1024


class Line(Enum):
    """What the next line is."""

    SIZE = "the size of a chunk"
    END = "the end of a chunk, empty"
    TRAILER = "a trailer, or empty after the last"


class Chunks:
    """Takes the framing off. `is_over` once the last chunk and the trailers have come."""

    def __init__(self) -> None:
        self.is_over = False
        self._next = Line.SIZE
        self._left_in_chunk = 0
        self._line = b""
        self._trailer_bytes = 0

    def decode(self, data: bytes) -> bytes:
        """The content in `data`, which goes on where the last one ended. Raises `Broken`."""
        content, at = bytearray(), 0
        while at < len(data) and not self.is_over:
            if self._left_in_chunk:
                piece = data[at : at + self._left_in_chunk]
                content += piece
                self._left_in_chunk -= len(piece)
                at += len(piece)
            else:
                at = self._read_line(data, self._take_whole(data, at, content))
        return bytes(content)

    def _take_whole(self, data: bytes, begin: int, content: bytearray) -> int:
        """Takes the chunks that came whole; where to go on. Line by line they cost three times as much."""
        at = begin
        if self._next is not Line.SIZE or self._line:
            return at
        while size := FIRST_LINE.match(data, at):
            first, end = size.end(), size.end() + int(size[1], 16)
            if first == end or end >= len(data) or not (last := LAST_LINE.match(data, end)):
                break
            content += data[first:end]
            at = last.end()
        return at

    def _read_line(self, data: bytes, begin: int) -> int:
        """Takes a line if it is complete; where to go on."""
        end = data.find(b"\n", begin) + 1
        line = self._line + data[begin : end or len(data)]
        if len(line) > MAX_LINE_BYTES:
            raise Broken(ErrorClass.TOO_LARGE, f"a line between chunks is longer than {MAX_LINE_BYTES} bytes")
        if not end:
            self._line = line
            return len(data)
        self._line = b""
        self._take_line(line.rstrip(b"\r\n"))
        return end

    def _take_line(self, line: bytes) -> None:
        if self._next is Line.SIZE:
            self._begin_chunk(line)
        elif self._next is Line.TRAILER:
            self._take_trailer(line)
        elif line:
            raise Broken(ErrorClass.PROTOCOL, "a chunk is longer than its size")
        else:
            self._next = Line.SIZE

    def _begin_chunk(self, line: bytes) -> None:
        if not (size := SIZE.match(line)):
            raise Broken(ErrorClass.PROTOCOL, "the size of a chunk is not a number")
        self._left_in_chunk = int(size[1], 16)
        self._next = Line.END if self._left_in_chunk else Line.TRAILER

    def _take_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if self._trailer_bytes > MAX_TRAILER_BYTES:
            raise Broken(ErrorClass.TOO_LARGE, f"more than {MAX_TRAILER_BYTES} bytes of trailers")
        if line and b":" not in line:
            raise Broken(ErrorClass.PROTOCOL, "what follows the chunks is not a trailer")
        self.is_over = not line
