"""One probe while it runs: without a task where its protocol can, and else as one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from probes.canary import Canaries
from probes.curl import Curl
from probes.measurement import Measure, Measurement
from probes.messages import ProbeRequest, ProbeResult
from probes.probe import begin, conclude, probe
from probes.protocols import AT_ONCE, PROBES


class Tools(NamedTuple):
    """What all probes of a region share."""

    region: str
    curl: Curl
    canaries: Canaries


class Running:
    """A probe that begins now. `on_end` is given it and its result later, once; None if it was cancelled."""

    __slots__ = ("_begun", "_drop", "_on_end", "_task", "_tools", "is_scheduled", "request", "suspicion")

    def __init__(
        self,
        request: ProbeRequest,
        tools: Tools,
        on_end: Callable[[Running, ProbeResult | None], None],
        *,
        is_scheduled: bool,
    ) -> None:
        self.request = request
        self.is_scheduled = is_scheduled
        self.suspicion: int | None = None
        """The number of the alarm after which it is suspected."""
        self._tools = tools
        self._on_end = on_end
        self._begun = begin(request, tools.region)
        self._task: asyncio.Task[ProbeResult] | None = None
        self._drop = self._begin_at_once()
        if self._drop is None:
            self._go_on(partial(_measure, request, tools.curl))

    @property
    def began_at(self) -> float:
        """By `time.monotonic`."""
        return self._begun.at

    def cancel(self) -> None:
        """Ends it, which is told later as well."""
        if self._task:
            self._task.cancel()
        elif self._drop:
            self._drop()
            self._drop = None
            asyncio.get_running_loop().call_soon(self._on_end, self, None)

    def _begin_at_once(self) -> Callable[[], None] | None:
        target = self.request.target
        if not (begin_at_once := AT_ONCE.get(type(target))):
            return None
        try:
            return begin_at_once(target, self.request.timeout_ms, self._tools.curl, self._settle)
        except ValueError:  # it should not have become a target, which a task makes a result of
            return None

    def _settle(self, seen: Measurement | Measure) -> None:
        if isinstance(seen, Measurement):
            self._on_end(self, conclude(self._begun, seen))
        else:
            self._go_on(seen)

    def _go_on(self, measure: Measure) -> None:
        probing = probe(self._begun, measure, self._tools.canaries)
        self._task = asyncio.get_running_loop().create_task(probing)
        self._task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[ProbeResult]) -> None:
        self._on_end(self, None if task.cancelled() else task.result())


async def _measure(request: ProbeRequest, curl: Curl) -> Measurement:
    return await PROBES[type(request.target)](request.target, request.timeout_ms, curl)
