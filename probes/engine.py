"""Runs many probes at once, in one thread with one loop: one result per request, always."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import uvloop

from probes import USER_AGENT
from probes.alarms import Alarms
from probes.canary import Canaries
from probes.clock import now_ms
from probes.curl import Curl
from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.messages import ProbeRequest, ProbeResult
from probes.probe import not_run, suspicion
from probes.running import Running, Tools

logger = logging.getLogger(__name__)

WAITING_PER_SLOT = 10
EARLIEST_MS = 2_000
"""A slot that is further ahead is taken for a clock that is wrong, and for due."""
TOGETHER_MS = 50
"""What is scheduled within so long begins together: to wake up for each probe would cost twice the probe."""
BUSY_SECONDS = 0.1
"""A timer that is so late says that this process has too much to do, and not that a target is slow."""
DRAIN_PERIOD_SECONDS = 0.02

GRACE_SECONDS = 5.0
"""A probe keeps its own deadline; this much later it is given up, so that its slot is not lost."""
GIVE_UP_PERIOD_SECONDS = 1.0


class Engine:
    """Probes under two caps: `cap` for the schedule, and `urgent_cap` more that only urgent ones use.

    A request that comes up to `EARLIEST_MS` before its slot begins with that. One whose turn comes after its
    `start_by_ms`, or that finds 10 times `cap` waiting, is `missed`.
    `on_result` is called in the engine's thread, once per request, in the order they finish; before that
    once more for a probe that takes longer than its `suspect_after_ms`.
    """

    def __init__(
        self,
        region: str,
        policy: AddressPolicy,
        on_result: Callable[[ProbeResult], None],
        *,
        canaries: Canaries | None = None,
        cap: int = 1000,
        urgent_cap: int = 200,
    ) -> None:
        self._on_result = on_result
        self._cap = cap
        self._total_cap = cap + urgent_cap
        self._scheduled: deque[ProbeRequest] = deque()
        self._urgent: deque[ProbeRequest] = deque()
        self._early: dict[int, list[ProbeRequest]] = {}
        """By the number of the `TOGETHER_MS` in which they begin."""
        self._running: set[Running] = set()
        self._running_scheduled = 0
        self._is_going_on = False
        self._suspicions: Alarms[Running] = Alarms(self._suspect)
        curl = Curl(policy, f"{USER_AGENT} ({region}; +uptime monitoring)")
        self._tools = Tools(region, curl, canaries or Canaries())
        self._loop = uvloop.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    @property
    def in_flight(self) -> int:
        """How many probes run now."""
        return len(self._running)

    def start(self) -> None:
        """Starts the thread. What was submitted before runs now."""
        self._thread.start()

    def submit(self, requests: Sequence[ProbeRequest], *, urgent: bool = False) -> None:
        """Hands `requests` over and returns at once. Any thread may call it, until `stop`."""
        self._loop.call_soon_threadsafe(self._accept, requests, urgent)

    def drain(self, timeout_seconds: float) -> bool:
        """Waits until nothing waits or runs; False if the time did not suffice."""
        drained = asyncio.run_coroutine_threadsafe(self._drained(), self._loop)
        try:
            drained.result(timeout_seconds)
        except TimeoutError:
            drained.cancel()
        return not drained.cancelled()

    def stop(self) -> None:
        """Ends the thread. What waits is reported as `missed`, and what runs as an `error`."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        async with self._tools.curl, self._tools.canaries.watched():
            giving_up = self._loop.create_task(self._give_up())
            await self._stopping.wait()
            giving_up.cancel()
            for waiting in (self._urgent, self._scheduled, *self._early.values()):
                for request in waiting:
                    self._miss(request, "the worker stopped")
                waiting.clear()
            self._early.clear()
            for running in self._running:
                running.cancel()
            await self._drained()

    async def _drained(self) -> None:
        while self._running or self._early or self._urgent or self._scheduled:
            await asyncio.sleep(DRAIN_PERIOD_SECONDS)

    def _accept(self, requests: Sequence[ProbeRequest], urgent: bool) -> None:
        """Line up those whose time has come; the others come again when theirs has."""
        at_ms = now_ms()
        due = []
        for request in requests:
            is_early = not urgent and 0 < request.scheduled_at_ms - at_ms <= EARLIEST_MS
            if is_early and not self._stopping.is_set():
                self._put_off(request, at_ms)
            else:
                due.append(request)
        self._line_up(due, urgent)

    def _put_off(self, request: ProbeRequest, at_ms: int) -> None:
        number = request.scheduled_at_ms // TOGETHER_MS + 1
        if number not in self._early:
            self._early[number] = []
            delay_ms = number * TOGETHER_MS - at_ms + 1  # the loop's clock may be behind by that
            self._loop.call_later(delay_ms / 1000, self._come_due, number)
        self._early[number].append(request)

    def _come_due(self, number: int) -> None:
        self._line_up(self._early.pop(number, ()), urgent=False)

    def _line_up(self, requests: Sequence[ProbeRequest], urgent: bool) -> None:
        waiting = self._urgent if urgent else self._scheduled
        is_stopping = self._stopping.is_set()
        places = 0 if is_stopping else max(0, WAITING_PER_SLOT * self._cap - len(waiting))
        waiting.extend(requests[:places])
        for request in requests[places:]:
            self._miss(request, "the worker stopped" if is_stopping else "too many probes are waiting")
        self._start_waiting()

    def _go_on(self) -> None:
        """Start what waits, once all have ended that end now: see `probes.sockets`."""
        if not self._is_going_on:
            self._is_going_on = True
            self._loop.call_soon(self._start_waiting)

    def _start_waiting(self) -> None:
        self._is_going_on = False
        at_ms = now_ms()
        while self._urgent and len(self._running) < self._total_cap:
            self._start(self._urgent.popleft(), at_ms, is_scheduled=False)
        while (
            self._scheduled and self._running_scheduled < self._cap and len(self._running) < self._total_cap
        ):
            self._start(self._scheduled.popleft(), at_ms, is_scheduled=True)

    def _start(self, request: ProbeRequest, at_ms: int, *, is_scheduled: bool) -> None:
        if at_ms > request.start_by_ms:
            self._miss(request, "its turn came too late")
            return
        running = Running(request, self._tools, self._finish, is_scheduled=is_scheduled)
        if request.suspect_after_ms is not None:
            at = running.began_at + request.suspect_after_ms / 1000
            running.suspicion = self._suspicions.set(running, at)
        self._running.add(running)
        self._running_scheduled += is_scheduled

    def _finish(self, running: Running, result: ProbeResult | None) -> None:
        self._running.remove(running)
        self._running_scheduled -= running.is_scheduled
        if running.suspicion is not None:
            self._suspicions.clear(running, running.suspicion)
        self._go_on()
        if result is None:
            why = "the worker stopped" if self._stopping.is_set() else "it kept no deadline"
            result = not_run(running.request, self._tools.region, ErrorClass.INTERNAL, why)
        self._on_result(result)

    async def _give_up(self) -> None:
        """Ends probes that kept no deadline. One look at all of them costs less than a timer for each."""
        while True:
            await asyncio.sleep(GIVE_UP_PERIOD_SECONDS)
            for running in list(self._running):
                patience = running.request.timeout_ms / 1000 + GRACE_SECONDS
                if running.began_at + patience < time.monotonic():
                    logger.error("probe.given_up", extra={"monitor": running.request.monitor_id})
                    running.cancel()

    def _suspect(self, running: Running) -> None:
        """Say that a probe takes long, unless it may be us: every suspicion has two regions probe at once."""
        request = running.request
        late = time.monotonic() - running.began_at - (request.suspect_after_ms or 0) / 1000
        is_busy = bool(self._scheduled) or late > BUSY_SECONDS
        if not is_busy:
            self._on_result(suspicion(request, self._tools.region))

    def _miss(self, request: ProbeRequest, why: str) -> None:
        self._on_result(not_run(request, self._tools.region, ErrorClass.LATE, why))
