"""One fault: targets change before, in and after it, and everything that follows is watched."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseAway
from django.db import close_old_connections
from django.utils import timezone

from accounts.models import Account
from benchmarks.accuracy.behaviours import WELL, answer
from benchmarks.accuracy.receiver import Receiver
from benchmarks.accuracy.scoring import DOWN, UP, Cause
from benchmarks.accuracy.targets import Target
from benchmarks.chaos.faults import Fault
from benchmarks.chaos.scoring import Row, Told, judge, total
from benchmarks.chaos.system import REGIONS, System
from incidents.lifecycle import create_monitor
from monitors.models import Evidence, MonitorState
from webhooks.models import OPEN, Delivery
from webhooks.services import set_webhook

INTERVAL_SECONDS, TIMEOUT_MS = 5, 2_000
CHANGED_AT_ONCE = 8
CHURN_SECONDS = 10
READY_SECONDS = 120
SETTLED_SECONDS = 90
"""After healing, what was not told by then will not be."""
QUIET_SECONDS = 12
"""For false events to come: two intervals and more."""
POLL_SECONDS = 0.1

ILL = answer(503)


@dataclass
class Watched:
    """A target, its monitor and what was done to it."""

    target: Target
    monitor_id: int = 0
    causes: list[Cause] = field(default_factory=list)

    @property
    def is_ill(self) -> bool:
        return self.target.behaviour is ILL

    def change(self) -> None:
        """From well to ill, or back; somebody is to be told."""
        self.target.behaviour = WELL if self.is_ill else ILL
        self.causes.append(Cause(DOWN if self.is_ill else UP, time.monotonic()))


class Trial:
    """The monitors of one run, their targets and the receiver of their webhooks."""

    def __init__(self, system: System, monitors: int) -> None:
        self.system = system
        self.receiver = Receiver()
        self.watched = [Watched(Target(WELL)) for _ in range(monitors)]
        self._random = random.Random(7)

    async def run(self, fault: Fault) -> Row:
        """Everything up; changes; the fault with more of them; healed, and watched until all is told."""
        await self._begin()
        await self._change(CHANGED_AT_ONCE)
        await self._all_told(READY_SECONDS)
        churning = asyncio.create_task(self._churn())
        healed = await fault.do(self.system)
        churning.cancel()
        recovery = await self._recovered(healed)
        await self._all_told(SETTLED_SECONDS)
        for watched in [each for each in self.watched if each.is_ill]:
            watched.change()
        await self._all_told(SETTLED_SECONDS)
        await asyncio.sleep(QUIET_SECONDS)
        return await self._row(fault, recovery)

    async def end(self) -> None:
        """Close every listener."""
        for target in (self.receiver.target, *(each.target for each in self.watched)):
            await target.end()

    async def _begin(self) -> None:
        await self.receiver.target.open()
        for watched in self.watched:
            await watched.target.open()
        await sync_to_async(self._create)()
        await self._until(self._all_up, READY_SECONDS, "every monitor is up")

    def _create(self) -> None:
        now = timezone.now()
        count = len(self.watched)
        account = Account.objects.create(name="chaos", created_at=now, monitor_limit=count)
        fields = {
            "type": "http",
            "interval_seconds": INTERVAL_SECONDS,
            "timeout_ms": TIMEOUT_MS,
            "options": {"expected_status": 200},
        }
        for number, watched in enumerate(self.watched):
            url = f"{watched.target.url}{number}"
            watched.monitor_id = create_monitor(account, {"name": "m", "url": url, **fields}, now).pk
            set_webhook(
                account_id=account.pk,
                subject_id=watched.monitor_id,
                now=now,
                url=self.receiver.target.url,
            )

    def _all_up(self) -> bool:
        return MonitorState.objects.filter(status="up").count() == len(self.watched)

    async def _churn(self) -> None:
        """As long as the fault lasts, more targets change; none changes twice, so that each must be told."""
        while True:
            await self._change(CHANGED_AT_ONCE)
            await asyncio.sleep(CHURN_SECONDS)

    async def _change(self, count: int) -> None:
        """Change some of those whose last change was told: one at a time is enough to confuse."""
        settled = [each for each in self.watched if self._is_told(each)]
        for watched in self._random.sample(settled, min(count, len(settled))):
            watched.change()

    def _is_told(self, watched: Watched) -> bool:
        return len(self.receiver.of(watched.monitor_id)) >= len(watched.causes)

    async def _all_told(self, seconds: float) -> None:
        """Wait until every change was told, or until that is hopelessly late."""
        end = time.monotonic() + seconds
        while not all(map(self._is_told, self.watched)) and time.monotonic() < end:
            await asyncio.sleep(POLL_SECONDS)

    async def _recovered(self, healed: float) -> float:
        """Seconds from healing until a check that began after it is stored, from every region."""
        at = timezone.now() - timedelta(seconds=time.monotonic() - healed)
        await self._until(lambda: self._checks_run(at), SETTLED_SECONDS, "checks run again")
        return round(time.monotonic() - healed, 1)

    def _checks_run(self, since: datetime) -> bool:
        seen = Evidence.objects.filter(started_at__gt=since, outcome__in=("up", "down"), round_id=0)
        return set(seen.values_list("region", flat=True).distinct()) == set(REGIONS)

    async def _until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not await self._holds(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds:g} s: {what}")
            await asyncio.sleep(POLL_SECONDS)

    async def _holds(self, condition: Callable[[], bool]) -> bool:
        """A condition that asks the database; while that is away it does not hold."""
        try:
            return await sync_to_async(condition)()
        except DatabaseAway:
            await sync_to_async(close_old_connections)()  # a lost one is opened again only when it was closed
            return False

    async def _row(self, fault: Fault, recovery: float) -> Row:
        judged = {each.monitor_id: self._judged(each) for each in self.watched}
        told = total(judged.values())
        return Row(
            fault=fault.name,
            lost=told.lost,
            duplicated=told.duplicated,
            false=told.false,
            deliveries_lost=await sync_to_async(self._deliveries_lost)(),
            recovery_s=recovery,
        )

    def _judged(self, watched: Watched) -> Told:
        """Its events, judged; what is wrong with them is told in full, in seconds of one clock."""
        arrivals = self.receiver.of(watched.monitor_id)
        told = judge(watched.causes, arrivals)
        if told != Told(0, 0, 0):
            print(f"monitor {watched.monitor_id}: {watched.causes} {arrivals}", file=sys.stderr)
        return told

    def _deliveries_lost(self) -> int:
        """Those that have not ended, and those that count as delivered and never came."""
        unfinished = Delivery.objects.filter(status__in=OPEN).count()
        delivered = Delivery.objects.filter(status="delivered").values_list("pk", flat=True)
        return unfinished + len(set(delivered) - self.receiver.delivery_ids)
