"""Sockets and one epoll, without libcurl: what a client of our own would begin with."""

from __future__ import annotations

import select
import socket

from benchmarks.probes.contenders import AT_ONCE, Ports

MAX_ANSWER_BYTES = 65_536


class Looks:
    """So many looks at a target whose one answer is known: nothing is parsed, guarded, timed or reported."""

    def __init__(self, port: int, count: int) -> None:
        self._peer, self._left = ("127.0.0.1", port), count
        self._request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n\r\n".encode()
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}

    def run(self) -> None:
        """All of them, some at once."""
        for _ in range(min(AT_ONCE, self._left)):
            self._begin()
        while self._open:
            for descriptor, events in self._poll.poll():
                self._go_on(descriptor, events)
        self._poll.close()

    def _begin(self) -> None:
        self._left -= 1
        opened = socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        opened.connect_ex(self._peer)
        self._open[opened.fileno()] = opened
        self._poll.register(opened, select.EPOLLOUT)

    def _go_on(self, descriptor: int, events: int) -> None:
        if events & select.EPOLLOUT:
            self._open[descriptor].send(self._request)
            self._poll.modify(descriptor, select.EPOLLIN)
            return
        with self._open.pop(descriptor) as answered:
            assert answered.recv(MAX_ANSWER_BYTES).startswith(b"HTTP/1.1 200")
        if self._left:
            self._begin()


def bare_sockets(ports: Ports, count: int) -> None:
    """Looks with nothing but sockets."""
    Looks(ports["http"], count).run()
