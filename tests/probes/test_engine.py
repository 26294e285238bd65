"""Caps, lateness and the promise of one result per request."""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from probes import VERSION
from probes import engine as engine_module
from probes.clock import now_ms
from probes.engine import BUSY_SECONDS, EARLIEST_MS, TOGETHER_MS, Engine
from probes.guard import AddressPolicy
from probes.messages import HttpTarget, ProbeRequest, ProbeResult, TcpTarget
from probes.protocols import PROBES
from tests.probes.asking import ask
from tests.probes.listeners import Listener, answer, response
from tests.timing import STALL_MS

LOOPBACK = AddressPolicy.of(["127.0.0.0/8", "::1/128"])


class Results:
    """What an engine reported so far."""

    def __init__(self) -> None:
        self.all: list[ProbeResult] = []
        self._new: queue.SimpleQueue[ProbeResult] = queue.SimpleQueue()

    def add(self, result: ProbeResult) -> None:
        self.all.append(result)
        self._new.put(result)

    def next(self, count: int) -> dict[int, ProbeResult]:
        """The next `count` results, by monitor."""
        new = [self._new.get(timeout=10) for _ in range(count)]
        return {result.monitor_id: result for result in new}


@contextmanager
def running(cap: int = 1000, urgent_cap: int = 200) -> Iterator[tuple[Engine, Results]]:
    results = Results()
    engine = Engine("eu", LOOPBACK, results.add, cap=cap, urgent_cap=urgent_cap)
    engine.start()
    try:
        yield engine, results
    finally:
        engine.stop()


class Gatekeeper:
    """A server that holds every request until it is let through."""

    def __init__(self, listener: Listener) -> None:
        self.arrived = threading.Semaphore(0)
        self._let_through = threading.Semaphore(0)
        self._listener = listener
        listener.script = self._hold

    def wait_for(self, count: int) -> None:
        assert all(self.arrived.acquire(timeout=5) for _ in range(count))

    def let_through(self, count: int) -> None:
        self._let_through.release(count)

    def _hold(self, connection: socket.socket, request: bytes) -> None:
        self.arrived.release()
        self._let_through.acquire(timeout=10)
        answer(response())(connection, request)


@pytest.fixture
def gatekeeper(listener: Listener) -> Iterator[Gatekeeper]:
    keeper = Gatekeeper(listener)
    yield keeper
    keeper.let_through(1000)


def test_a_result_carries_the_identity_of_its_request(listener: Listener) -> None:
    request = ask(7, listener.url, round_id=3)
    with running() as (engine, results):
        engine.submit([request])
        result = results.next(1)[7]
    assert (result.config_version, result.scheduled_at_ms) == (1, request.scheduled_at_ms)
    assert (result.round_id, result.attempt, result.region) == (3, 1, "eu")
    assert (result.outcome, result.error_class, result.status_code) == ("up", "", 200)
    assert request.scheduled_at_ms <= result.started_at_ms < request.start_by_ms
    assert result.total_ms > 0


def test_a_target_sees_which_region_probes_it(listener: Listener) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, listener.url)])
        results.next(1)
    said = f"User-Agent: Upquorum/{VERSION} (eu; +uptime monitoring)\r\n"
    assert said.encode() in listener.requests[0]


def test_one_slow_target_holds_up_nobody(listener: Listener, gatekeeper: Gatekeeper) -> None:
    with running() as (engine, results), Listener() as quick:
        engine.submit([ask(1, listener.url), ask(2, quick.url)])
        assert list(results.next(1)) == [2]
        gatekeeper.let_through(1)
        assert list(results.next(1)) == [1]


def test_a_probe_that_takes_long_says_so_before_its_answer(
    listener: Listener, gatekeeper: Gatekeeper
) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, listener.url, suspect_after_ms=50)])
        assert results.next(1)[1].outcome == "slow"
        gatekeeper.let_through(1)
        assert results.next(1)[1].outcome == "up"


def test_a_probe_that_answers_in_time_says_nothing_before(listener: Listener) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, listener.url, suspect_after_ms=9_000)])
        assert results.next(1)[1].outcome == "up"
        assert engine.drain(5)
    assert len(results.all) == 1


def test_a_busy_engine_takes_no_target_for_slow(listener: Listener, gatekeeper: Gatekeeper) -> None:
    with running(cap=1) as (engine, results):
        engine.submit([ask(1, listener.url, suspect_after_ms=20), ask(2, listener.url)])
        time.sleep(0.1)  # nothing is to happen
        gatekeeper.let_through(2)
        assert sorted(results.next(2)) == [1, 2]
    assert [each.outcome for each in results.all] == ["up", "up"]


def test_an_engine_that_was_held_up_takes_no_target_for_slow(
    listener: Listener, gatekeeper: Gatekeeper
) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, listener.url, suspect_after_ms=100)])
        gatekeeper.wait_for(1)
        engine._loop.call_soon_threadsafe(time.sleep, 0.1 + 2 * BUSY_SECONDS)
        gatekeeper.let_through(1)
        assert results.next(1)[1].outcome == "up"


def test_what_comes_before_its_slot_begins_with_it(listener: Listener) -> None:
    with running() as (engine, results):
        request = ask(1, listener.url, early_ms=400)
        engine.submit([request, ask(2, listener.url)])
        assert list(results.next(1)) == [2]
        assert 0 <= results.next(1)[1].started_at_ms - request.scheduled_at_ms < STALL_MS


def test_a_slot_far_ahead_is_a_wrong_clock_and_due(listener: Listener) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, listener.url, early_ms=EARLIEST_MS + 500)])
        assert results.next(1)[1].outcome == "up"


def test_what_is_scheduled_within_some_milliseconds_begins_together_and_not_too_early(
    listener: Listener,
) -> None:
    start_ms = (now_ms() // TOGETHER_MS + 10) * TOGETHER_MS
    slots = [start_ms, start_ms + 1, start_ms + TOGETHER_MS - 1, start_ms + TOGETHER_MS]
    requests = [replace(ask(id_, listener.url), scheduled_at_ms=slot) for id_, slot in enumerate(slots)]
    with running() as (engine, results):
        engine.submit(requests)
        begun = {id_: result.started_at_ms for id_, result in results.next(4).items()}
    assert min(begun[0], begun[1], begun[2]) >= start_ms + TOGETHER_MS
    assert begun[3] >= start_ms + 2 * TOGETHER_MS


def test_drain_waits_for_what_came_early(listener: Listener) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, listener.url, early_ms=200)])
        assert engine.drain(5)
        assert len(results.all) == 1


def test_what_came_early_is_reported_when_it_stops(listener: Listener) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, listener.url, early_ms=EARLIEST_MS)])
    assert [(each.outcome, each.error) for each in results.all] == [("missed", "the worker stopped")]
    assert listener.count() == 0


def test_an_answer_that_takes_longer_than_to_be_warned_of_is_up_and_marked(
    listener: Listener, gatekeeper: Gatekeeper
) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, listener.url, suspect_after_ms=20, latency_warn_ms=10)])
        assert results.next(1)[1].outcome == "slow"  # so that 20 ms have passed
        gatekeeper.let_through(1)
        seen = results.next(1)[1]
    assert (seen.outcome, seen.error_class) == ("up", "latency_warning")
    assert seen.error.endswith(" ms, to be warned of from 10 ms")


def test_no_warning_hides_a_failure_or_comes_too_early(listener: Listener) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, "http://127.0.0.1:1/", latency_warn_ms=1)])
        assert results.next(1)[1].error_class == "refused"
        engine.submit([ask(2, listener.url, latency_warn_ms=4_000)])
        assert results.next(1)[2].error_class == ""


def test_no_more_than_cap_run_at_once(listener: Listener, gatekeeper: Gatekeeper) -> None:
    with running(cap=3) as (engine, results):
        engine.submit([ask(number, listener.url) for number in range(5)])
        gatekeeper.wait_for(3)
        assert engine.in_flight == 3
        gatekeeper.let_through(1)
        gatekeeper.wait_for(1)  # the fourth takes the place of the one that ended
        assert engine.in_flight == 3
        assert not gatekeeper.arrived.acquire(timeout=0.05)
        gatekeeper.let_through(4)
        assert len(results.next(5)) == 5


def test_a_full_schedule_does_not_delay_urgent_probes(listener: Listener, gatekeeper: Gatekeeper) -> None:
    with running(cap=2, urgent_cap=2) as (engine, results), Listener() as other:
        engine.submit([ask(number, listener.url) for number in range(10)])
        gatekeeper.wait_for(2)
        engine.submit([ask(number, other.url) for number in (20, 21, 22)], urgent=True)
        assert set(results.next(3)) == {20, 21, 22}
        assert engine.in_flight == 2
        gatekeeper.let_through(10)
        assert len(results.next(10)) == 10


def test_urgent_probes_are_capped_too_and_take_the_first_free_slot(
    listener: Listener, gatekeeper: Gatekeeper
) -> None:
    with running(cap=1, urgent_cap=1) as (engine, results):
        engine.submit([ask(1, listener.url), ask(2, listener.url)])
        engine.submit([ask(number, f"{listener.url}/urgent") for number in (10, 11)], urgent=True)
        gatekeeper.wait_for(2)
        assert engine.in_flight == 2
        gatekeeper.let_through(1)
        gatekeeper.wait_for(1)
        assert listener.requests[2].startswith(b"GET /urgent ")
        gatekeeper.let_through(3)
        assert len(results.next(4)) == 4


def test_what_is_late_is_missed_and_not_run(listener: Listener) -> None:
    with running() as (engine, results):
        engine.submit([ask(1, listener.url, late_ms=-1), ask(2, listener.url)])
        by_monitor = results.next(2)
    assert (by_monitor[1].outcome, by_monitor[1].error_class) == ("missed", "late")
    assert by_monitor[2].outcome == "up"
    assert listener.count() == 1


def test_what_became_late_while_it_waited_is_missed(listener: Listener, gatekeeper: Gatekeeper) -> None:
    with running(cap=1) as (engine, results):
        engine.submit([ask(1, listener.url), ask(2, listener.url, late_ms=30), ask(3, listener.url)])
        gatekeeper.wait_for(1)
        listener.stopping.wait(0.05)
        gatekeeper.let_through(2)
        outcomes = {monitor: result.outcome for monitor, result in results.next(3).items()}
    assert outcomes == {1: "up", 2: "missed", 3: "up"}


@pytest.mark.parametrize("urgent", [False, True])
def test_the_queue_is_bounded(listener: Listener, gatekeeper: Gatekeeper, urgent: bool) -> None:
    with running(cap=1, urgent_cap=0) as (engine, results):
        engine.submit([ask(0, listener.url)])
        gatekeeper.wait_for(1)
        engine.submit([ask(number, listener.url) for number in range(1, 14)], urgent=urgent)
        assert {monitor: result.outcome for monitor, result in results.next(3).items()} == {
            11: "missed",
            12: "missed",
            13: "missed",
        }
        gatekeeper.let_through(11)
        assert all(result.outcome == "up" for result in results.next(11).values())


def test_an_exception_is_the_error_of_its_own_request(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(PROBES, TcpTarget, broken)
    with running() as (engine, results):
        engine.submit([ask(1, TcpTarget(host="127.0.0.1", port=1)), ask(2, listener.url)])
        by_monitor = results.next(2)
    broken_result = by_monitor[1]
    assert (broken_result.outcome, broken_result.error_class) == ("error", "internal")
    assert broken_result.error == "ZeroDivisionError"
    assert by_monitor[2].outcome == "up"
    assert "ZeroDivisionError" in caplog.text


def test_an_exception_of_the_receiver_stops_nothing(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    results = Results()

    def receive(result: ProbeResult) -> None:
        results.add(result)
        if result.monitor_id == 1:
            raise ZeroDivisionError

    engine = Engine("eu", LOOPBACK, receive, cap=1)
    engine.start()
    engine.submit([ask(1, listener.url), ask(2, listener.url), ask(3, listener.url)])
    assert set(results.next(3)) == {1, 2, 3}
    engine.stop()
    assert "ZeroDivisionError" in caplog.text


def test_drain_waits_for_what_runs_and_waits(listener: Listener, gatekeeper: Gatekeeper) -> None:
    with running(cap=1) as (engine, results):
        engine.submit([ask(1, listener.url), ask(2, listener.url)])
        assert not engine.drain(0.05)
        gatekeeper.let_through(2)
        assert engine.drain(5)
        assert len(results.all) == 2
        assert engine.in_flight == 0


def test_drain_of_an_idle_engine_is_at_once() -> None:
    with running() as (engine, _):
        assert engine.drain(5)


def test_what_is_left_when_it_stops_is_reported(listener: Listener, gatekeeper: Gatekeeper) -> None:
    with running(cap=1) as (engine, results):
        engine.submit([ask(1, listener.url), ask(2, listener.url)])
        gatekeeper.wait_for(1)
    assert {result.monitor_id: result.outcome for result in results.all} == {1: "error", 2: "missed"}


def test_what_is_submitted_before_the_start_runs(listener: Listener) -> None:
    results = Results()
    engine = Engine("eu", LOOPBACK, results.add)
    engine.submit([ask(1, listener.url)])
    engine.start()
    assert results.next(1)[1].outcome == "up"
    engine.stop()


KINDS: dict[str, Callable[[Listener, int], ProbeRequest]] = {
    "up": lambda listener, number: ask(number, listener.url),
    "down": lambda listener, number: ask(number, HttpTarget(url=listener.url, expected_status=((500, 500),))),
    "tcp": lambda listener, number: ask(number, TcpTarget(host="127.0.0.1", port=listener.port)),
    "late": lambda listener, number: ask(number, listener.url, late_ms=-1),
    "bad url": lambda _, number: ask(number, "gopher://x"),
    "no name": lambda _, number: ask(number, f"http://{'a' * 64}.example"),
    "blocked": lambda _, number: ask(number, "http://169.254.169.254/"),
    "slow": lambda listener, number: ask(number, f"{listener.url}/slow", timeout_ms=20),
}


@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(
        st.tuples(st.booleans(), st.lists(st.sampled_from(sorted(KINDS)), max_size=8)), max_size=5
    )
)
def test_every_request_has_one_result(batches: list[tuple[bool, list[str]]]) -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET /slow"):
            listener.stopping.wait()
        connection.sendall(response())

    with Listener() as listener, running(cap=2, urgent_cap=1) as (engine, results):
        listener.script = script
        submitted: list[int] = []
        for urgent, kinds in batches:
            requests = [KINDS[kind](listener, len(submitted) + at) for at, kind in enumerate(kinds)]
            submitted += [request.monitor_id for request in requests]
            engine.submit(requests, urgent=urgent)
        assert engine.drain(10)
    assert sorted(result.monitor_id for result in results.all) == submitted


def test_a_probe_that_keeps_no_deadline_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setitem(PROBES, TcpTarget, endless)
    monkeypatch.setattr(engine_module, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(engine_module, "GIVE_UP_PERIOD_SECONDS", 0.05)
    with running(cap=1) as (engine, results):
        engine.submit([ask(1, TcpTarget(host="127.0.0.1", port=1), timeout_ms=10)])
        given_up = results.next(1)[1]
        assert (given_up.outcome, given_up.error_class) == ("error", "internal")
        assert given_up.error == "it kept no deadline"
        assert engine.in_flight == 0
