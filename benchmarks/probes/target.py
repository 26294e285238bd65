"""The target that everything is measured on: `python -m benchmarks.probes.target`.

Prints its ports and certificate as JSON, and serves until its standard input ends. It does as little as it
can, so that what is measured is the prober.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import sys
import tempfile
from functools import partial
from typing import Any

import dns.message
import dns.rrset
import trustme
import uvloop

from probes.worker import raise_file_limit

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
HOLD_SECONDS = 4.0


class Web(asyncio.Protocol):
    """Answers whatever comes, and closes."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, _data: bytes) -> None:
        self._transport.write(ANSWER)
        self._transport.close()


class SlowWeb(Web):
    """Takes its time, so that many probes are under way at once."""

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(HOLD_SECONDS, super().data_received, data)


class Datagrams(asyncio.DatagramProtocol):
    """Sends back what it gets, or the DNS answer to it."""

    def __init__(self, is_dns: bool) -> None:
        self._is_dns = is_dns

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str | object, int]) -> None:
        self._transport.sendto(data[:2] + TEMPLATE[2:] if self._is_dns else data, peer)


def _template() -> bytes:
    response = dns.message.make_response(dns.message.make_query("example.com", "A"))
    response.answer.append(dns.rrset.from_text("example.com.", 60, "IN", "A", "93.184.216.34"))
    return response.to_wire()


TEMPLATE = _template()


async def main() -> None:
    """Serves each protocol on a port of its own."""
    raise_file_limit()
    loop, authority = asyncio.get_running_loop(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ports: dict[str, object] = {}
    for name, protocol, secured in (("http", Web, None), ("slow", SlowWeb, None), ("https", Web, context)):
        server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=secured, backlog=4096)
        ports[name] = server.sockets[0].getsockname()[1]
    for name in ("udp", "dns"):
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        bound.bind(("127.0.0.1", 0))
        await loop.create_datagram_endpoint(partial(Datagrams, name == "dns"), sock=bound)
        ports[name] = bound.getsockname()[1]
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        authority.cert_pem.write_to_path(file.name)
        print(json.dumps({"ca": file.name, **ports}), flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    uvloop.run(main())
