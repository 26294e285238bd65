"""Uptime of a monitor: the share of the time in which it was watched that it was not confirmed down.

`docs/uptime.md` has the rule. Whole hours come from the rollups, and what is not rolled up yet from the rows
that they are made of, so an answer is never older than the question.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, Sum

from incidents.models import MonitorHour
from incidents.rollups import Trouble, count, downtime_rolled_up_until
from monitors.history import Counts, Window, counts
from monitors.models import WatchedPeriod

DECIMALS = 4

Period = tuple[datetime, datetime | None]
"""From, until; None: it lasts."""


@dataclass(frozen=True, kw_only=True)
class Uptime:
    """What is known of a monitor in a window."""

    window: Window
    watched_seconds: float
    counts: Counts
    trouble: Trouble

    @property
    def percent(self) -> float | None:
        """Rounded down, so that 100 is without any downtime; None: nothing was seen."""
        if not self.counts.checks or not self.watched_seconds:
            return None
        share = 1 - self.trouble.downtime_seconds / self.watched_seconds
        scale: int = 10**DECIMALS
        return max(0.0, math.floor(share * 100 * scale) / scale)


def uptime(monitor_id: int, window: Window) -> Uptime:
    """Of a monitor in a window that ends now."""
    return Uptime(
        window=window,
        watched_seconds=seconds_within(watched(monitor_id, window), window),
        counts=counts(monitor_id, window),
        trouble=_trouble(monitor_id, window),
    )


def watched(monitor_id: int, window: Window) -> list[Period]:
    """The times in which a monitor was enabled that reach into the window."""
    lasted = Q(ended_at=None) | Q(ended_at__gt=window.since)
    periods = WatchedPeriod.objects.filter(lasted, monitor=monitor_id, began_at__lt=window.until)
    return list(periods.order_by("began_at").values_list("began_at", "ended_at"))


def seconds_within(periods: Iterable[Period], window: Window) -> float:
    """How much of the window lies in `periods`, which do not overlap."""
    return sum(
        max(0.0, (min(until or window.until, window.until) - max(since, window.since)).total_seconds())
        for since, until in periods
    )


def _trouble(monitor_id: int, window: Window) -> Trouble:
    rolled_up, rest = window.split(downtime_rolled_up_until())
    hours = MonitorHour.objects.filter(
        monitor=monitor_id, hour__gte=rolled_up.since, hour__lt=rolled_up.until
    )
    names = ("downtime_seconds", "incidents", "inconclusive")
    sums = hours.aggregate(**{name: Sum(name, default=0) for name in names})
    return Trouble(**sums) + count(monitor_id, rest.since, rest.until)
