"""Servers that fight back, in a process of their own: `python -m tests.probes.hostile`.

Prints its ports as JSON and serves until its standard input ends. The path of a request says how.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import struct
import sys
import tempfile
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import trustme

MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\n"
TLS_HANDSHAKE = 0x16
NAMES = 10_000

Write = Callable[[bytes], Awaitable[None]]


def bomb(gib: int = 4) -> Iterator[bytes]:
    """4 GiB of zeros as gzip: after a full flush, each MiB of them compresses to the same bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(MIB)
    yield packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(gib * 1024 - 1):
        yield again


async def headers(write: Write) -> None:
    await write(HEAD)
    while True:
        await write(b"X-Endless: " + b"x" * 1000 + b"\r\n")


async def one_header(write: Write) -> None:
    await write(HEAD + b"X: ")
    while True:
        await write(b"x" * 4096)


async def body(write: Write) -> None:
    await write(HEAD + b"\r\n")
    while True:
        await write(b"x" * 65_536)


async def gzip_bomb(write: Write) -> None:
    await write(HEAD + b"Content-Encoding: gzip\r\n\r\n")
    for block in bomb():
        await write(block)


async def drip(write: Write) -> None:
    await write(HEAD + b"Content-Length: 1000000\r\n\r\n")
    while True:
        await write(b"x")
        await asyncio.sleep(1)


async def drip_headers(write: Write) -> None:
    await write(HEAD)
    while True:
        await write(b"X: y\r\n")
        await asyncio.sleep(0.2)


async def silence(_write: Write) -> None:
    await asyncio.sleep(3600)


async def reset(write: Write) -> None:
    await write(HEAD + b"Content-Length: 1000000\r\n\r\nhalf of it")


async def cut(write: Write) -> None:
    await write(HEAD + b"Content-Length: 1000000\r\n\r\nhalf of it")


async def chunks(write: Write) -> None:
    await write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZZ\r\nworld\r\n")


async def huge_chunk(write: Write) -> None:
    await write(HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n")


async def garbage(write: Write) -> None:
    await write(bytes(range(256)) * 100)


async def loop(write: Write) -> None:
    await write(b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


MODES: dict[str, Callable[[Write], Awaitable[None]]] = {
    mode.__name__: mode
    for mode in (
        *(headers, one_header, body, gzip_bomb, drip, drip_headers, silence),
        *(reset, cut, chunks, huge_chunk, garbage, loop),
    )
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection. What does not begin as HTTP is a handshake, which never gets an answer."""

    async def write(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    with suppress(OSError, asyncio.IncompleteReadError):
        first = await reader.readexactly(1)
        mode = "silence" if first[0] == TLS_HANDSHAKE else (await reader.readline()).split()[1][1:].decode()
        await MODES[mode](write)
        if mode == "reset":
            linger = struct.pack("ii", 1, 0)  # close by RST
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    with suppress(OSError):
        writer.close()


def crowded(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """A certificate for 10,000 hosts, of which the last is the one that is asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(name.format(number) for number in range(NAMES)), "127.0.0.1").configure_cert(
        context
    )
    return context


async def main() -> None:
    authority, answer = trustme.CA(), asyncio.start_server
    servers = {"plain": await answer(serve, "127.0.0.1", 0, backlog=1024)}
    for name in ("h{}.a", "host-{}.of-many.example"):
        context = crowded(authority, name)
        servers[f"names{len(servers)}"] = await answer(serve, "127.0.0.1", 0, ssl=context, backlog=1024)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        authority.cert_pem.write_to_path(file.name)
        ports = {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
        print(json.dumps({"ca": file.name, **ports}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # what hangs, hangs on purpose


if __name__ == "__main__":
    asyncio.run(main())
