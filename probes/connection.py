"""One TCP connection of our own: what is sent, who reads what comes back, and how it went."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from errno import EINPROGRESS, ENOTCONN
from typing import Protocol

from probes.errors import CONNECT_ERRNOS, ErrorClass, Fault
from probes.ready import WRITE

logger = logging.getLogger(__name__)

READ_BYTES = 16_384
"""At once: then it is another connection's turn."""
UNDER_WAY = (0, EINPROGRESS)


class Broken(Exception):
    """What came in cannot be the answer, or is too much of one; says so as a `fault`."""

    def __init__(self, error_class: ErrorClass, error: str) -> None:
        super().__init__(error)
        self.fault = Fault(error_class, error)


class Reader(Protocol):
    """Who takes what comes in. Both methods may raise `Broken`."""

    def feed(self, data: bytes) -> bool:
        """Takes some bytes, at least one; whether they were the last that are wanted."""

    def end(self) -> None:
        """The peer has closed the connection, though more was wanted."""


class Connection:
    """To send `data` to a numeric address; `on_end` is told of the end.

    What became of it, and when, by `time.monotonic_ns`; 0: it never came to that.
    """

    __slots__ = (
        *("alarm", "connected_ns", "descriptor", "ended_ns", "fault", "first_byte_ns"),
        *("on_end", "peer", "reader", "socket", "started_ns", "timeout_seconds", "unsent"),
    )

    def __init__(
        self,
        peer: tuple[str, int],
        data: bytes,
        reader: Reader,
        timeout_seconds: float,
        on_end: Callable[[Connection], object],
    ) -> None:
        self.peer = peer
        self.unsent = data
        self.reader = reader
        self.timeout_seconds = timeout_seconds
        self.on_end = on_end
        self.descriptor = self.alarm = -1
        self.fault: Fault | None = None
        self.started_ns = self.connected_ns = self.first_byte_ns = self.ended_ns = 0

    def dial(self) -> None:
        """Begins to connect."""
        self.started_ns = self.ended_ns = time.monotonic_ns()
        try:
            self.socket = _new_socket(socket.AF_INET6 if ":" in self.peer[0] else socket.AF_INET)
        except OSError as error:  # no more descriptors
            self.fault = Fault(ErrorClass.INTERNAL, str(error))
            return
        number = self.socket.connect_ex(self.peer)
        if number not in UNDER_WAY:
            self._fail(number)
            self.socket.close()
        self.descriptor = self.socket.fileno()

    def go_on(self, events: int) -> bytes | None:
        """Writes or reads what can be; what was read, and nothing at the end or where it failed."""
        try:
            return self._go_on(events)
        except BlockingIOError:  # not yet, or not after all, see select(2)
            return None
        except OSError as error:
            if error.errno == ENOTCONN and not self.connected_ns:  # not yet, in the words of BSD
                return None
            self._fail(error.errno or 0)
            return b""

    def _go_on(self, events: int) -> bytes | None:
        if not self.connected_ns:
            at_ns = time.monotonic_ns()
            self._send()  # which fails as connecting did, if it did
            self.connected_ns = at_ns
        elif events & ~WRITE:
            data = self.socket.recv(READ_BYTES)
            if data and not self.first_byte_ns:
                self.first_byte_ns = time.monotonic_ns()
            return data
        else:
            self._send()
        return None

    def _send(self) -> None:
        self.unsent = self.unsent[self.socket.send(self.unsent) :]

    def take(self, data: bytes) -> bool:
        """Gives the reader what was read; whether it is over."""
        try:
            if data:
                return self.reader.feed(data)
            if not self.fault:
                self.reader.end()
        except Broken as broken:
            self.fault = broken.fault
        except Exception as error:  # which must not stop the others that came with it
            logger.exception("connection.failed")
            self.fault = Fault(ErrorClass.INTERNAL, type(error).__name__)
        return True

    def _fail(self, number: int) -> None:
        error_class = ErrorClass.RESET
        if not self.connected_ns:
            error_class = CONNECT_ERRNOS.get(number, ErrorClass.UNREACHABLE)
        self.fault = Fault(error_class, os.strerror(number))
        self.ended_ns = time.monotonic_ns()


def _new_socket(family: socket.AddressFamily) -> socket.SocketType:
    """One that does not block, in one call of the system where that can be.

    Without what `socket.socket` adds to it: files, contexts, and a twentieth to the cost of a look.
    """
    if hasattr(socket, "SOCK_NONBLOCK"):
        return socket.SocketType(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    opened = socket.SocketType(family, socket.SOCK_STREAM)
    opened.setblocking(False)
    return opened
