"""A local server that can be broken and mended while it is watched."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below those that outgoing connections take, so that nobody else answers on a port that is closed."""
BACKLOG = 100


@dataclass(frozen=True)
class Exchange:
    """One request, and the connection to answer it on."""

    target: Target
    path: str
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


Behaviour = Callable[[Exchange], Awaitable[None]]


class Target:
    """Answers each connection by its `behaviour` of the moment, when it is open."""

    def __init__(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.tls = tls
        self._claim = _claim_port()
        self.port: int = self._claim.getsockname()[1]
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{HOST}:{self.port}/"

    async def open(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, HOST, self.port, ssl=self.tls, backlog=BACKLOG, reuse_port=True
        )

    async def close(self) -> None:
        """Refuse connections; the port stays ours."""
        if self._server:
            self._server.close()

    def present(self, certificate: Path) -> None:
        """Use another certificate, with its key in the same file, from the next connection on."""
        assert self.tls
        self.tls.load_cert_chain(certificate)

    async def end(self) -> None:
        await self.close()
        self._claim.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.behaviour(await self._read(reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client left, as one of a tcp monitor does at once
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Exchange(self, first.split()[1], headers, body, reader, writer)


def _claim_port() -> socket.socket:
    """A socket that holds a free port without listening: connections to it are refused."""
    while True:
        port = random.choice(PORTS)
        if not _is_free(port):
            continue
        claim = socket.socket()
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        claim.bind((HOST, port))
        return claim


def _is_free(port: int) -> bool:
    """Whether nobody else holds it: two targets that share a port would answer for one another."""
    with socket.socket() as alone:
        try:
            alone.bind((HOST, port))
        except OSError:
            return False
    return True
