"""A region that cannot see its canaries does not say that a target is down."""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from probes import canary as module
from probes.canary import Canaries, Canary, configured_canaries
from probes.engine import Engine
from probes.env import BadSetting
from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.measurement import Measurement, Timings
from probes.messages import ProbeResult, TcpTarget
from probes.url import parse_http_url
from tests.probes.asking import ask
from tests.probes.listeners import Listener, answer, response
from tests.timing import keeps

UP = Measurement(status_code=200)
DOWN = Measurement(
    error_class=ErrorClass.REFUSED,
    error="Connection refused",
    address="192.0.2.1",
    timings=Timings(total_ms=3.5),
)


def open_port(port: int = 0) -> socket.socket:
    """A canary that anybody can connect to until it is closed."""
    return socket.create_server(("127.0.0.1", port))


def tcp(port: int) -> TcpTarget:
    return TcpTarget(host="127.0.0.1", port=port)


def watching(
    canaries: Canaries, story: Callable[[], Coroutine[Any, Any, list[Measurement]]]
) -> list[Measurement]:
    """What `story` came to, on a loop with the canaries."""

    async def told() -> list[Measurement]:
        async with canaries.watched():
            return await story()

    return uvloop.run(told())


def reviewed(*canaries: Canary, measured: Measurement = DOWN) -> Measurement:
    """What a region with these canaries says after it measured `measured`."""
    region = Canaries(canaries)

    async def once() -> list[Measurement]:
        return [await region.review(measured, time.monotonic())]

    return watching(region, once)[0]


def test_a_region_that_sees_its_canary_says_down(listener: Listener) -> None:
    assert reviewed(parse_http_url(listener.url)) is DOWN
    assert listener.count() == 1


def test_a_region_that_does_not_abstains_and_keeps_what_it_saw(closed_port: int) -> None:
    result = reviewed(tcp(closed_port))
    assert result.error_class == ErrorClass.REGION_SICK
    assert result.error == (
        f"the region was sick (canary 127.0.0.1:{closed_port}: refused); it saw refused: Connection refused"
    )
    assert (result.address, result.timings) == (DOWN.address, DOWN.timings)


def test_without_canaries_a_region_is_well() -> None:
    assert reviewed() is DOWN


@pytest.mark.parametrize("measured", [UP, Measurement(error_class=ErrorClass.BLOCKED)])
def test_only_down_is_held(listener: Listener, measured: Measurement) -> None:
    assert reviewed(parse_http_url(listener.url), measured=measured) is measured
    assert listener.count() == 0


@pytest.mark.parametrize("status", [200, 204, 301, 404])
def test_any_status_below_500_is_seen(listener: Listener, status: int) -> None:
    listener.script = answer(response(status))
    assert reviewed(parse_http_url(listener.url)) is DOWN


def test_a_status_from_500_is_not_seen_and_the_url_is_not_shown(listener: Listener) -> None:
    listener.script = answer(response(503))
    error = reviewed(parse_http_url(f"{listener.url}/?key=secret")).error
    assert f"(canary 127.0.0.1:{listener.port}: status 503)" in error


@pytest.fixture
def is_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Canaries that hang are waited for longer than any test takes."""
    monkeypatch.setattr(module, "TIMEOUT_MS", 60_000)


@pytest.mark.usefixtures("is_patient")
def test_the_head_of_an_answer_is_enough(listener: Listener) -> None:
    def stall(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
        listener.hang(connection, request)

    listener.script = stall
    began = time.monotonic()
    assert reviewed(parse_http_url(listener.url)) is DOWN
    assert keeps(0, 1000 * (time.monotonic() - began))


def test_a_canary_that_hangs_is_not_waited_for_longer_than_its_timeout(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT_MS", 200)
    listener.script = listener.hang
    began = time.monotonic()
    assert f"(canary 127.0.0.1:{listener.port}: timeout)" in reviewed(parse_http_url(listener.url)).error
    assert keeps(200, 1000 * (time.monotonic() - began))


def test_a_canary_that_cannot_even_be_looked_at_is_not_seen(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "probe_tcp", broken)
    assert "(canary 127.0.0.1:1: ZeroDivisionError)" in reviewed(tcp(1)).error
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("open_ones", "shut_ones", "is_well"),
    [(1, 1, True), (2, 1, True), (1, 2, False), (2, 2, True), (2, 3, False)],
)
def test_a_region_is_sick_when_it_cannot_see_more_than_half(
    listener: Listener, closed_port: int, open_ones: int, shut_ones: int, is_well: bool
) -> None:
    result = reviewed(*[tcp(closed_port)] * shut_ones, *[parse_http_url(listener.url)] * open_ones)
    assert (result is DOWN) == is_well


@pytest.mark.usefixtures("is_patient")
def test_who_cannot_change_the_answer_is_not_waited_for(listener: Listener) -> None:
    listener.script = listener.hang
    began = time.monotonic()
    with open_port() as one, open_port() as other:
        seen = [tcp(server.getsockname()[1]) for server in (one, other)]
        assert reviewed(parse_http_url(listener.url), *seen) is DOWN
    assert keeps(0, 1000 * (time.monotonic() - began))


def test_many_who_wait_share_one_check(listener: Listener) -> None:
    region = Canaries([parse_http_url(listener.url)])

    async def at_once() -> list[Measurement]:
        return await asyncio.gather(*(region.review(DOWN, time.monotonic()) for _ in range(500)))

    assert watching(region, at_once) == [DOWN] * 500
    assert listener.count() == 1


def test_a_check_that_began_before_the_failure_proves_nothing(listener: Listener) -> None:
    """The first one holds the check; by the time of the second the region may be cut off."""
    arrived, let_through = threading.Event(), threading.Event()

    def hold(connection: socket.socket, request: bytes) -> None:
        arrived.set()
        let_through.wait(5)
        answer(response())(connection, request)
        listener.script = answer(response(503))

    listener.script = hold
    region = Canaries([parse_http_url(listener.url)])

    async def one_after_the_other() -> list[Measurement]:
        first = asyncio.create_task(region.review(DOWN, time.monotonic()))
        assert await asyncio.to_thread(arrived.wait, 5)
        second = asyncio.create_task(region.review(DOWN, time.monotonic()))
        await asyncio.sleep(0)
        let_through.set()
        return [await first, await second]

    first, second = watching(region, one_after_the_other)
    assert first is DOWN
    assert second.error_class == ErrorClass.REGION_SICK


def test_who_waits_does_not_depend_on_who_asked_first(listener: Listener) -> None:
    arrived = threading.Semaphore(0)

    def hold(connection: socket.socket, request: bytes) -> None:
        listener.script = answer(response())
        arrived.release()
        listener.hang(connection, request)

    listener.script = hold
    region = Canaries([parse_http_url(listener.url)])

    async def the_first_gives_up() -> list[Measurement]:
        first, second = (asyncio.create_task(region.review(DOWN, time.monotonic())) for _ in range(2))
        assert await asyncio.to_thread(arrived.acquire, timeout=5)
        first.cancel()
        return [await second]

    assert watching(region, the_first_gives_up) == [DOWN]


def test_a_region_is_sick_until_a_check_finds_it_well(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PERIOD_SECONDS", 0.01)
    monkeypatch.setattr(module, "SICK_PERIOD_SECONDS", 0.01)
    with open_port() as server:
        port = server.getsockname()[1]
    region = Canaries([tcp(port)])

    async def shut_and_reopened() -> list[Measurement]:
        while_shut = await region.review(DOWN, time.monotonic())
        assert region.sick == f"canary 127.0.0.1:{port}: refused"
        begun_while_shut = time.monotonic()
        with open_port(port):
            async with asyncio.timeout(5):
                while region.sick:
                    await asyncio.sleep(0.01)
            return [
                while_shut,
                await region.review(DOWN, begun_while_shut),
                await region.review(DOWN, time.monotonic()),
            ]

    *begun_while_shut, begun_later = watching(region, shut_and_reopened)
    assert [result.error_class for result in begun_while_shut] == [ErrorClass.REGION_SICK] * 2
    assert begun_later is DOWN
    assert [record.message.split(":")[0] for record in caplog.records] == ["region.sick", "region.well"]


def test_a_sick_region_abstains_at_once(listener: Listener) -> None:
    listener.script = answer(response(503))
    region = Canaries([parse_http_url(listener.url)])

    async def twice() -> list[Measurement]:
        return [await region.review(DOWN, time.monotonic()) for _ in range(2)]

    assert {result.error_class for result in watching(region, twice)} == {ErrorClass.REGION_SICK}
    assert listener.count() == 1


def test_the_canaries_are_looked_at_also_when_nothing_fails(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PERIOD_SECONDS", 0.01)
    monkeypatch.setattr(module, "SICK_PERIOD_SECONDS", 0.01)
    monkeypatch.setattr(module, "SPACING_SECONDS", 0)
    looks = threading.Semaphore(0)

    def refuse(connection: socket.socket, request: bytes) -> None:
        answer(response(503))(connection, request)
        looks.release()

    listener.script = refuse
    region = Canaries([parse_http_url(listener.url)])

    async def two_looks() -> list[Measurement]:
        for _ in range(2):  # the second begins when the first has been understood
            assert await asyncio.to_thread(looks.acquire, timeout=5)
        return []

    watching(region, two_looks)
    assert region.sick == f"canary 127.0.0.1:{listener.port}: status 503"


def test_an_engine_reports_what_its_region_can_vouch_for(closed_port: int) -> None:
    results: queue.SimpleQueue[ProbeResult] = queue.SimpleQueue()
    with open_port() as server:
        region = Canaries([tcp(server.getsockname()[1])])
        engine = Engine("eu", AddressPolicy.of(["127.0.0.0/8"]), results.put, canaries=region)
        engine.start()
        engine.submit([ask(1, tcp(closed_port))])
        well = results.get(timeout=10)
    engine.submit([ask(1, tcp(closed_port))])
    sick = results.get(timeout=10)
    engine.stop()
    assert (well.outcome, well.error_class) == ("down", "refused")
    assert (sick.outcome, sick.error_class) == ("error", "region_sick")
    assert "it saw refused" in sick.error


def test_the_operator_lists_urls_and_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPQUORUM_CANARIES", "https://one.example/x, two.example:53,[2001:db8::1]:80")
    assert configured_canaries() == [
        parse_http_url("https://one.example/x"),
        TcpTarget(host="two.example", port=53),
        TcpTarget(host="2001:db8::1", port=80),
    ]


@pytest.mark.parametrize("word", ["one.example", "ftp://one.example:21", "http://", "one.example:x"])
def test_a_canary_that_is_neither_is_named(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("UPQUORUM_CANARIES", f"http://one.example,{word}")
    with pytest.raises(BadSetting, match=f"UPQUORUM_CANARIES: '{word}'"):
        configured_canaries()
