"""An HTTP/1.1 response as it comes in, up to its caps."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from probes.connection import READ_BYTES, Broken
from probes.errors import ErrorClass
from probes.fetch.chunks import Chunks
from probes.fetch.codings import WINDOWS, Decoder
from probes.fetch.head import Head, parse_head, unfolded
from probes.fetch.messages import MAX_HEADER_BYTES, FetchRequest

PREFIX = b"http/"
END_OF_HEAD = re.compile(rb"\n\r?\n")
MOST_FRAMING = 2
"""Reading stops after so many times what the body is cut at: of chunks of one byte a third is read then."""
BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Answer:
    """Collects the response to `request`."""

    def __init__(self, request: FetchRequest) -> None:
        self.status_code: int | None = None
        self.head = b""
        """Of the final response, from its status line to its empty line."""
        self.body = bytearray()
        self.is_truncated = False
        self._is_to_head = request.method == "HEAD"
        self._keep_body = request.keep_body
        self._bytes_left = request.max_body_bytes
        """Of the decoded body, until the cap."""
        self._feed_left = MAX_HEADER_BYTES + READ_BYTES + MOST_FRAMING * request.max_body_bytes
        self._head_bytes = 0
        self._unread = b""
        self._searched_bytes = 0
        self._length_left = 0
        self._chunks: Chunks
        self._coding = b""
        self._decoder: Decoder | None = None
        self._take: Take = Answer._take_head
        """Not bound: that would make a circle, which only the garbage collector could free."""

    def feed(self, data: bytes) -> bool:
        """Takes some bytes; whether the response is complete, or as much of it as is wanted."""
        self._feed_left -= len(data)
        if self._feed_left < 0 and self.status_code:
            self.is_truncated = True
        return self.is_truncated or self._take(self, data)

    def end(self) -> None:
        """The peer closed the connection, which ends only a body without a length (RFC 9112 section 6.3)."""
        if self._take is not Answer._give:
            raise Broken(ErrorClass.RESET, "the connection was closed before the answer was complete")

    def _take_head(self, data: bytes) -> bool:
        """After a head comes another one if it was interim, and else the body, if there is any."""
        unread = self._unread + data
        while found := END_OF_HEAD.search(unread, self._searched_bytes):
            text, unread = unread[: found.end()], unread[found.end() :]
            self._searched_bytes = 0
            self._head_bytes += len(text)
            self._check_size(self._head_bytes)
            if (head := parse_head(text)).status_code >= HTTPStatus.OK:
                return self._begin(head, text, unread)
        self._check_size(self._head_bytes + len(unread))
        if unread[: len(PREFIX)].lower() != PREFIX[: len(unread)]:
            raise Broken(ErrorClass.PROTOCOL, "the answer is not HTTP/1.1")
        self._unread, self._searched_bytes = unread, max(0, len(unread) - len("\n\r"))
        return False

    def _check_size(self, head_bytes: int) -> None:
        if head_bytes > MAX_HEADER_BYTES:
            raise Broken(ErrorClass.TOO_LARGE, f"more than {MAX_HEADER_BYTES} bytes of headers")

    def _begin(self, head: Head, text: bytes, rest: bytes) -> bool:
        self.status_code, self._unread = head.status_code, b""
        self.head = unfolded(text) if head.is_folded else text
        if self._is_to_head or head.status_code in BODILESS:
            return True
        if head.coding in WINDOWS or self._keep_body:  # one that nobody knows does no harm where nobody reads
            self._coding = head.coding
        self._take = self._taking(head)
        return self._take(self, rest)

    def _taking(self, head: Head) -> Take:
        """How the body is taken (RFC 9112 section 6.3)."""
        if head.is_chunked:
            self._chunks = Chunks()
            return Answer._take_chunks
        if head.length is None:
            return Answer._give
        self._length_left = head.length
        return Answer._take_counted

    def _take_counted(self, data: bytes) -> bool:
        content = data[: self._length_left]
        self._length_left -= len(content)
        return self._give(content) or not self._length_left

    def _take_chunks(self, data: bytes) -> bool:
        return self._give(self._chunks.decode(data)) or self._chunks.is_over

    def _give(self, content: bytes) -> bool:
        """Adds to the body; whether it exceeds the cap."""
        if self._coding and content:
            self._decoder = self._decoder or Decoder(self._coding)
            content = self._decoder.decode(content, self._bytes_left + 1)
        self.is_truncated = len(content) > self._bytes_left
        if self._keep_body:
            self.body += content[: self._bytes_left]
        self._bytes_left -= min(len(content), self._bytes_left)
        return self.is_truncated


Take = Callable[[Answer, bytes], bool]
"""Takes some bytes of one part of the response; whether it is complete."""
