"""A name server on a real port of 127.0.0.1, over UDP and TCP."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType

import dns.message
import dns.rcode
import dns.rrset
from dns.flags import TC
from dns.message import Message
from dns.rcode import Rcode

Script = Callable[[Message, bool], "bytes | None"]
"""The bytes that answer a query, which came over TCP or not; None for silence."""


def answer(*records: str, rcode: Rcode = dns.rcode.NOERROR) -> Script:
    """A script that answers with `records`, each as `name TTL IN type value`, and `rcode`."""

    def script(query: Message, _is_tcp: bool) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        for record in records:
            name, ttl, rdclass, rdtype, value = record.split(None, 4)
            response.answer.append(dns.rrset.from_text(name, int(ttl), rdclass, rdtype, value))
        return response.to_wire()

    return script


def truncated(whole: Script) -> Script:
    """A script whose answers are too long for a datagram."""

    def script(query: Message, is_tcp: bool) -> bytes | None:
        if is_tcp:
            return whole(query, is_tcp)
        response = dns.message.make_response(query)
        response.flags |= TC
        return response.to_wire()

    return script


class NameServer:
    """Answers by `script` until the test ends, and keeps the queries."""

    def __init__(self) -> None:
        self.script: Script = answer()
        self.queries: list[Message] = []
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._tcp.getsockname()[1])
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._threads = [
            threading.Thread(target=serve, daemon=True) for serve in (self._datagrams, self._streams)
        ]

    @property
    def resolver(self) -> str:
        """As a target names it."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> NameServer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        for thread in self._threads:
            thread.join()
        self._tcp.close()
        self._udp.close()

    def _answer(self, wire: bytes, is_tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        self.queries.append(query)
        return self.script(query, is_tcp)

    def _datagrams(self) -> None:
        while True:
            wire, peer = self._udp.recvfrom(65_535)
            if not wire:
                return
            if (response := self._answer(wire, False)) is not None:
                self._udp.sendto(response, peer)

    def _streams(self) -> None:
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:  # shut down
                return
            with connection, connection.makefile("rb") as stream:
                (length,) = struct.unpack("!H", stream.read(2))
                response = self._answer(stream.read(length), True) or b""
                connection.sendall(struct.pack("!H", len(response)) + response)
