"""The receivers: one behaviour a port, and a note of every request, at the moment at which it came."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

HANG_SECONDS = 60
Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answers(status: str, *headers: str) -> Respond:
    """A whole answer at once."""
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "Connection: close", "", ""])

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode())
        await writer.drain()

    return respond


async def hang(writer: asyncio.StreamWriter) -> None:
    """No answer."""
    await asyncio.sleep(HANG_SECONDS)


async def drip(writer: asyncio.StreamWriter) -> None:
    """An answer that goes on and on, a byte every 50 ms."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(HANG_SECONDS * 20):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def reset(writer: asyncio.StreamWriter) -> None:
    """The connection is torn down."""
    connected: socket.socket = writer.get_extra_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@dataclass(frozen=True)
class Kind:
    """A kind of receiver, its share of the events, and how a delivery to it is to end."""

    name: str
    respond: Respond
    share: int
    """Of 60."""
    ports: int
    status: str = "failed"
    attempts: int = 5


KINDS = (
    Kind("healthy", answers("204 No Content"), 40, 8, "delivered", 1),
    Kind("fails", answers("500 Internal Server Error"), 5, 2),
    Kind("resets", reset, 4, 2),
    Kind("busy", answers("429 Too Many Requests", "Retry-After: 90"), 4, 2),
    Kind("gone", answers("410 Gone"), 4, 2, attempts=1),
    Kind("hangs", hang, 2, 8),
    Kind("drips", drip, 1, 8),
)
"""A third misbehaves. Fewer hang and drip than the others, since each of their attempts takes its 10 s."""


@dataclass
class Receivers:
    """All receivers, and what they were sent."""

    urls: dict[str, list[str]] = field(default_factory=dict)
    came: defaultdict[int, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    """By `delivery_id`: each request's attempt, and when it came, by the monotonic clock."""

    async def open(self) -> None:
        """Listen for all kinds."""
        for kind in KINDS:
            servers = [await self._listen(kind) for _ in range(kind.ports)]
            ports = [server.sockets[0].getsockname()[1] for server in servers]
            self.urls[kind.name] = [f"http://127.0.0.1:{port}/hook" for port in ports]

    async def _listen(self, kind: Kind) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await self._note(reader)
                await kind.respond(writer)
            except (OSError, asyncio.IncompleteReadError):
                pass  # the sender went away: at its deadline, or because it was killed
            finally:
                writer.close()

        return await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)

    async def _note(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        self.came[body["delivery_id"]].append((body["attempt"], time.monotonic()))
