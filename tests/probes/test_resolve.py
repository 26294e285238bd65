"""Names to addresses, blocking and many at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from probes import resolve as resolving
from probes import resolver
from probes.guard import AddressPolicy
from probes.resolve import Blocked, Unresolvable, check_host, resolve
from probes.resolver import Resolver, ResolverBusy
from tests.timing import keeps

LOOPBACK_SPELLINGS = ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1", "0x7f.1"]


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS)
def test_every_spelling_of_an_address_is_seen_through(host: str) -> None:
    assert resolve(host, 80) == ["127.0.0.1"]
    with pytest.raises(Blocked) as blocked:
        check_host(host, 80, AddressPolicy())
    assert blocked.value.address == "127.0.0.1"


def test_a_name_resolves_to_each_address_once() -> None:
    addresses = resolve("localhost", 80)
    assert "127.0.0.1" in addresses
    assert len(set(addresses)) == len(addresses)


def test_an_allowed_host_passes(loopback: AddressPolicy) -> None:
    assert "127.0.0.1" in check_host("localhost", 80, loopback)


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example", "::g"])
def test_what_cannot_resolve_says_so(host: str) -> None:
    with pytest.raises(Unresolvable):
        resolve(host, 80)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Lookups of `hangs` begin, and get no answer before the test ends."""
    answer = threading.Event()

    def lookup(host: str, port: int) -> list[str]:
        if host == "hangs":
            answer.wait()
            return []
        return resolve(host, port)

    for module in (resolver, resolving):
        monkeypatch.setattr(module, "resolve", lookup)
    yield answer
    answer.set()


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> ThreadPoolExecutor:
    """All that those who ask have: one thread, and 50 ms."""
    pool = ThreadPoolExecutor(1)
    monkeypatch.setattr(resolving, "POOL", pool)
    monkeypatch.setattr(resolving, "TIMEOUT_SECONDS", 0.05)
    return pool


def refused_after_ms(host: str) -> float:
    began = time.monotonic()
    with pytest.raises(Unresolvable, match="in time"):
        check_host(host, 80, AddressPolicy())
    return (time.monotonic() - began) * 1000


def test_who_asks_waits_for_no_name_server_beyond_the_deadline(
    one_thread: ThreadPoolExecutor, hanging: threading.Event
) -> None:
    assert keeps(50, refused_after_ms("hangs"))


def test_nor_for_a_thread_and_what_nobody_waits_for_is_not_looked_up(
    one_thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, looked_up = threading.Event(), list[str]()
    monkeypatch.setattr(resolving, "resolve", lambda host, port: looked_up.append(host))
    one_thread.submit(free.wait)
    assert keeps(50, refused_after_ms("localhost"))
    free.set()
    one_thread.shutdown()
    assert looked_up == []


def test_no_answer_in_time_is_the_names_fault(hanging: threading.Event) -> None:
    with pytest.raises(Unresolvable, match="no answer"):
        asyncio.run(Resolver(threads=1).lookup("hangs", 80, timeout_ms=20))


def test_a_lookup_that_never_began_is_our_own_fault(hanging: threading.Event) -> None:
    async def two() -> list[object]:
        names = Resolver(threads=1)
        lookups = (names.lookup(host, 80, timeout_ms=50) for host in ("hangs", "localhost"))
        return list(await asyncio.gather(*lookups, return_exceptions=True))

    stuck, starved = asyncio.run(two())
    assert isinstance(stuck, Unresolvable)
    assert isinstance(starved, ResolverBusy)


def test_an_address_needs_no_thread(hanging: threading.Event) -> None:
    async def lookup() -> list[str]:
        names = Resolver(threads=1)
        stuck = asyncio.create_task(names.lookup("hangs", 80, timeout_ms=10_000))
        await asyncio.sleep(0)
        try:
            return await names.lookup("::1", 80, timeout_ms=1)
        finally:
            stuck.cancel()

    assert asyncio.run(lookup()) == ["::1"]
