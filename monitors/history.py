"""What was seen of a monitor in a window of time: counts, and latency as a series for a chart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from monitors.hours import floor_hour
from monitors.models import Evidence, RegionHour
from monitors.rollups import evidence_rolled_up_until

STEPS = {
    "24h": (timedelta(hours=24), timedelta(minutes=15)),
    "7d": (timedelta(days=7), timedelta(hours=1)),
    "30d": (timedelta(days=30), timedelta(hours=6)),
    "90d": (timedelta(days=90), timedelta(days=1)),
}
"""How long the windows are, and the step of their charts: some 90 to 170 points for each region."""
EVIDENCE_SERIES = ("24h",)
"""The windows whose charts are finer than the rollups."""

FROM_EVIDENCE = """
SELECT at, region, checks, ms[1], ms[2], max_ms FROM (
    SELECT date_bin(%(step)s, scheduled_at, '2000-01-01T00:00Z') AS at, region, count(*) AS checks,
           percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY total_ms) AS ms, max(total_ms) AS max_ms
    FROM monitors_evidence
    WHERE monitor_id = %(monitor_id)s AND scheduled_at >= %(since)s AND scheduled_at < %(until)s
      AND round_id = 0 AND outcome = 'up'
    GROUP BY at, region
) AS points ORDER BY at, region
"""

# The percentiles of several hours are the means of theirs, each weighted by its checks.
FROM_HOURS = """
SELECT date_bin(%(step)s, hour, '2000-01-01T00:00Z') AS at, region, sum(checks - failures),
       sum(p50_ms * (checks - failures)) / sum(checks - failures),
       sum(p95_ms * (checks - failures)) / sum(checks - failures), max(max_ms)
FROM monitors_regionhour
WHERE monitor_id = %(monitor_id)s AND hour >= %(since)s AND hour < %(until)s AND checks > failures
GROUP BY at, region ORDER BY at, region
"""


@dataclass(frozen=True)
class Window:
    """A time that begins with an hour and ends now."""

    name: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, name: str, now: datetime) -> Window:
        """The window of this name that ends `now`: it begins with the hour in which it would begin."""
        return cls(name, floor_hour(now - STEPS[name][0]), now)

    def split(self, rolled_up_until: datetime | None) -> tuple[Window, Window]:
        """The part whose hours are rolled up, and the rest; either may be of no length."""
        edge = min(max(rolled_up_until or self.since, self.since), self.until)
        return Window(self.name, self.since, edge), Window(self.name, edge, self.until)


@dataclass(frozen=True)
class Counts:
    """Scheduled checks: those that said up or down, of these the failures, and those that said nothing."""

    checks: int = 0
    failures: int = 0
    missed: int = 0
    errors: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.checks + other.checks,
            self.failures + other.failures,
            self.missed + other.missed,
            self.errors + other.errors,
        )


@dataclass(frozen=True)
class Point:
    """The latency that a region saw in one step of a chart, of the checks that were up."""

    at: datetime
    region: str
    checks: int
    p50_ms: float
    p95_ms: float
    max_ms: float


def counts(monitor_id: int, window: Window) -> Counts:
    """The checks of a monitor: whole hours from their rollups, the rest from the evidence."""
    rolled_up, rest = window.split(evidence_rolled_up_until())
    hours = RegionHour.objects.filter(
        monitor_id=monitor_id, hour__gte=rolled_up.since, hour__lt=rolled_up.until
    )
    names = ("checks", "failures", "missed", "errors")
    sums = hours.aggregate(**{name: Sum(name, default=0) for name in names})
    return Counts(**sums) + _counted(monitor_id, rest)


def latency(monitor_id: int, window: Window) -> list[Point]:
    """The series of a monitor, oldest first; no point where nothing was up."""
    query = FROM_EVIDENCE if window.name in EVIDENCE_SERIES else FROM_HOURS
    step = STEPS[window.name][1]
    values: dict[str, Any] = {
        "monitor_id": monitor_id,
        "step": step,
        "since": window.since,
        "until": window.until,
    }
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return [Point(*row) for row in cursor.fetchall()]


def _counted(monitor_id: int, window: Window) -> Counts:
    looks = Evidence.objects.filter(
        monitor_id=monitor_id, scheduled_at__gte=window.since, scheduled_at__lt=window.until, round_id=0
    )
    of = dict(looks.values_list("outcome").annotate(number=Count("*")))
    failures = of.get("down", 0)
    return Counts(of.get("up", 0) + failures, failures, of.get("missed", 0), of.get("error", 0))
