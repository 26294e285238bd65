"""The interval of a monitor that has long been down (the native contract, "Check behavior").

After 10 minutes of downtime it grows stepwise from 1 to 5 minutes, and is the configured one again at once
on recovery. An interval that is longer anyway stays.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Case, F, When

from monitors.models import MonitorState
from monitors.status import Status

STEPS = tuple(
    (timedelta(minutes=down_for), timedelta(minutes=interval))
    for down_for, interval in ((10, 1), (15, 2), (20, 3), (25, 4), (30, 5))
)
"""From so much downtime on, at least this interval; ascending."""


def stretch_intervals(now: datetime) -> None:
    """Bring the intervals in force of all monitors that are down up to their step.

    The slots of the new interval are looked at from now on: those before were none of the monitor's.
    """
    down = MonitorState.objects.filter(status=Status.DOWN)
    since = Case(When(scheduled_since__isnull=False, then=now), default=F("scheduled_since"))
    for down_for, interval in STEPS:
        seconds = round(interval.total_seconds())
        long_down = down.filter(status_since__lte=now - down_for, interval_seconds__lt=seconds)
        long_down.update(interval_seconds=seconds, scheduled_since=since)
