"""Where faults are done: the running system, the receiver, and monitors with a target each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.accuracy.behaviours import WELL
from benchmarks.accuracy.certificates import Authority
from benchmarks.accuracy.receiver import Receiver
from benchmarks.accuracy.scoring import DOWN, UP, Arrival, Cause
from benchmarks.accuracy.targets import HOST, Behaviour, Target
from benchmarks.environment import Environment

TIMEOUT_SECONDS = 10
"""A probe's deadline, as docs/api.md says."""
POLL_SECONDS = 0.05
UNTOLD_AFTER = 3
"""An event that is this many times interval + timeout late will not come any more."""
MARGIN_SECONDS = 2

Change = Callable[[Target], Awaitable[None]]


@dataclass
class Watched:
    """A target, its monitor, what was done to it and what was told of it."""

    target: Target
    monitor_id: int
    arrivals: list[Arrival]
    causes: list[Cause] = field(default_factory=list)


class Lab:
    """The system under test, with the way of doing faults to it."""

    def __init__(self, environment: Environment, authority: Authority, interval: int, count: int) -> None:
        self.environment = environment
        self.authority = authority
        self.interval = interval
        self.count = count
        self.receiver = Receiver()
        self.began = time.monotonic()

    @property
    def unit(self) -> float:
        """Interval + timeout: how long an outage may last before a single look must have seen it."""
        return self.interval + TIMEOUT_SECONDS

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:5.0f} s  {text}", flush=True)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self.environment.call, method, path, body)

    async def watch(
        self, behaviour: Behaviour = WELL, *, type_: str = "http", is_tls: bool = False
    ) -> list[Watched]:
        """Monitors on new targets that are well, once the system knows that they are."""
        targets = [Target(behaviour, self.authority.context() if is_tls else None) for _ in range(self.count)]
        return list(await asyncio.gather(*(self._watch(target, type_) for target in targets)))

    async def forget(self, group: Iterable[Watched]) -> None:
        """Delete the monitors, then end their targets: after this, nothing is told of them."""
        for watched in group:
            await self.call("DELETE", f"/monitors/{watched.monitor_id}")
            await watched.target.end()

    async def status(self, watched: Watched) -> str:
        answer = await self.call("GET", f"/monitors/{watched.monitor_id}")
        return str(answer["state"]["status"])

    async def sees(self, watched: Watched, status: str, seconds: float) -> bool:
        """Whether the system believes `status` within some time."""
        end = time.monotonic() + seconds
        while await self.status(watched) != status:
            if time.monotonic() > end:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def change(self, group: Sequence[Watched], change: Change, event: str) -> None:
        """Change all targets, which is to be told by `event`."""
        for watched in group:
            watched.causes.append(Cause(event, time.monotonic()))
            await change(watched.target)

    async def told(self, group: Sequence[Watched]) -> None:
        """Wait until as much was told as was caused, or until that is hopelessly late."""
        end = time.monotonic() + UNTOLD_AFTER * self.unit
        while any(len(each.arrivals) < len(each.causes) for each in group) and time.monotonic() < end:
            await asyncio.sleep(POLL_SECONDS)

    async def outage(self, group: Sequence[Watched], break_: Change, mend: Change) -> None:
        """Break all targets until it is told, mend them until that is."""
        await self.change(group, break_, DOWN)
        await self.told(group)
        await self.change(group, mend, UP)
        await self.told(group)

    async def stay_quiet(self) -> None:
        """Give false events the time to come: every check that is under way ends, and another follows."""
        await asyncio.sleep(self.unit + MARGIN_SECONDS)

    async def _watch(self, target: Target, type_: str) -> Watched:
        await target.open()
        url = target.url if type_ == "http" else f"tcp://{HOST}:{target.port}"
        body = {"name": "target", "url": url, "type": type_, "interval_sec": self.interval}
        monitor_id = (await self.call("POST", "/monitors", body))["monitor"]["id"]
        await self.call("PUT", f"/monitors/{monitor_id}/webhook", {"url": self.receiver.target.url})
        watched = Watched(target, monitor_id, self.receiver.of(monitor_id))
        if not await self.sees(watched, "up", UNTOLD_AFTER * self.unit):
            raise RuntimeError(f"{url} is well, and the system does not find it so")
        return watched
