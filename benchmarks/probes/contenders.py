"""The ways to look at a target, each a function of `(ports, count)` that looks `count` times.

Each look is a connection of its own, 200 at once; so many threads would only hurt `requests`, which has 50.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pycurl

from probes import curl
from probes.clock import now_ms
from probes.engine import Engine
from probes.guard import AddressPolicy
from probes.messages import (
    DnsTarget,
    HttpTarget,
    PingTarget,
    ProbeRequest,
    ProbeResult,
    SslTarget,
    Target,
    TcpTarget,
    UdpTarget,
)

AT_ONCE = 200
THREADS = 50
TIMEOUT_SECONDS = 30

Ports = dict[str, Any]
Look = Callable[[Ports, int], None]

TARGETS: dict[str, Callable[[Ports], Target]] = {
    "http": lambda ports: HttpTarget(url=f"http://127.0.0.1:{ports['http']}/"),
    "https": lambda ports: HttpTarget(url=f"https://127.0.0.1:{ports['https']}/"),
    "tcp": lambda ports: TcpTarget(host="127.0.0.1", port=ports["http"]),
    "ssl": lambda ports: SslTarget(host="127.0.0.1", port=ports["https"]),
    "dns": lambda ports: DnsTarget(name="example.com", resolver=f"127.0.0.1:{ports['dns']}"),
    "udp": lambda ports: UdpTarget(host="127.0.0.1", port=ports["udp"], payload="x"),
    "ping": lambda ports: PingTarget(host="127.0.0.1"),
}


def ours(protocol: str) -> Look:
    """The engine of a regional worker, as it is, with all looks due at once."""

    def look(ports: Ports, count: int) -> None:
        target = TARGETS[protocol](ports)
        with _engine(ports, count) as engine:
            for begin in range(0, count, AT_ONCE):  # a queue holds ten times its cap
                numbers = range(begin, min(begin + AT_ONCE, count))
                engine.submit([_request(number, target, now_ms()) for number in numbers])
            engine.start()

    return look


def ours_by_slot(per_s: int) -> Look:
    """The engine with so many looks a second, each due at its own instant and told of a second before."""

    def look(ports: Ports, count: int) -> None:
        url, first_ms = f"http://127.0.0.1:{ports['http']}/", now_ms() + 1_000
        with _engine(ports, count) as engine:
            engine.start()
            for begin in range(0, count, per_s):
                numbers = range(begin, min(begin + per_s, count))
                targets = [(number, HttpTarget(url=f"{url}{number}")) for number in numbers]
                engine.submit([_request(n, target, first_ms + n * 1_000 // per_s) for n, target in targets])
                time.sleep(1)

    return look


@contextmanager
def _engine(ports: Ports, count: int) -> Iterator[Engine]:
    """An engine that is still to be started, and its end when so many looks were made."""
    left, done = count, threading.Event()

    def on_result(result: ProbeResult) -> None:
        nonlocal left
        assert result.outcome == "up", result
        left -= 1
        if not left:
            done.set()

    curl.ALWAYS = (*curl.ALWAYS, (pycurl.CAINFO, ports["ca"]))
    engine = Engine("eu", AddressPolicy.of(["127.0.0.0/8"]), on_result, cap=AT_ONCE)
    yield engine
    assert done.wait(TIMEOUT_SECONDS)
    engine.stop()


def _request(number: int, target: Target, scheduled_at_ms: int) -> ProbeRequest:
    return ProbeRequest(
        monitor_id=number,
        config_version=1,
        scheduled_at_ms=scheduled_at_ms,
        target=target,
        timeout_ms=10_000,
        start_by_ms=scheduled_at_ms + 60_000,
    )


def bare(ports: Ports, count: int) -> None:
    """The least one can do with libcurl: nothing is guarded, timed, classified or reported."""
    multi, url, left = pycurl.CurlMulti(), f"http://127.0.0.1:{ports['http']}/", count

    def begin(handle: pycurl.Curl) -> None:
        nonlocal left
        left -= 1
        multi.add_handle(handle)

    for _ in range(min(AT_ONCE, count)):
        handle = pycurl.Curl()
        for option, value in ((pycurl.URL, url), (pycurl.FORBID_REUSE, 1), (pycurl.WRITEFUNCTION, len)):
            handle.setopt(option, value)
        begin(handle)
    running = 1
    while running:
        _, running = multi.perform()
        _, finished, failed = multi.info_read()
        assert not failed, failed
        for handle in finished:
            multi.remove_handle(handle)
            if left:
                begin(handle)
                running = 1
        multi.select(1.0)


def bare_requests(ports: Ports, count: int) -> None:
    """`requests` in threads."""
    import requests

    def once(_: int) -> None:
        assert requests.get(f"http://127.0.0.1:{ports['http']}/", timeout=10).ok

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(once, range(count)))


def bare_aiohttp(ports: Ports, count: int) -> None:
    """aiohttp, on asyncio's own loop."""
    import aiohttp

    async def worker(session: aiohttp.ClientSession, looks: int) -> None:
        for _ in range(looks):
            async with session.get(f"http://127.0.0.1:{ports['http']}/") as response:
                assert await response.read()

    async def run() -> None:
        connector = aiohttp.TCPConnector(force_close=True, limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(worker(session, count // AT_ONCE) for _ in range(AT_ONCE)))

    asyncio.run(run())
