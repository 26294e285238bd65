"""What a target does with a request: one small function for each way to be well or ill."""

from __future__ import annotations

import asyncio

from benchmarks.accuracy.targets import Behaviour, Exchange


def answer(status: int, *headers: str) -> Behaviour:
    """Answer at once, with no body."""
    lines = [f"HTTP/1.1 {status} -", "Content-Length: 0", "Connection: close", *headers, "", ""]
    content = "\r\n".join(lines).encode()

    async def behave(exchange: Exchange) -> None:
        exchange.writer.write(content)
        await exchange.writer.drain()

    return behave


WELL = answer(200)


async def hang(exchange: Exchange) -> None:
    """Never answer; wait until the client gives up."""
    await exchange.reader.read()


async def drip(exchange: Exchange) -> None:
    """Answer for ever, one byte a second: no pause is long enough to look like the end."""
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not exchange.writer.is_closing():
        exchange.writer.write(b".")
        await exchange.writer.drain()
        await asyncio.sleep(1)


def redirect(host: str) -> Behaviour:
    """Send the client on to the same port of `host`; there, answer 200."""

    async def behave(exchange: Exchange) -> None:
        there = f"Location: http://{host}:{exchange.target.port}/there"
        await (WELL if exchange.path == "/there" else answer(302, there))(exchange)

    return behave


def slow(seconds: float) -> Behaviour:
    """Answer 200 after some time."""

    async def behave(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await WELL(exchange)

    return behave


async def blip(exchange: Exchange) -> None:
    """Fail once, and be well again."""
    exchange.target.behaviour = WELL
    await answer(503)(exchange)


def only_for(region: str, behaviour: Behaviour) -> Behaviour:
    """Behave so for one region, which names itself in its User-Agent; be well for the others."""

    async def behave(exchange: Exchange) -> None:
        is_theirs = f"({region};" in exchange.headers.get("user-agent", "")
        await (behaviour if is_theirs else WELL)(exchange)

    return behave
