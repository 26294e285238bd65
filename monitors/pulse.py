"""The pulse of periodic tasks: when one last ran, and since when it has run without a gap."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from monitors.models import Pulse

GAP = timedelta(seconds=10)
"""A longer pause is an outage of our own."""

BEAT = """
INSERT INTO monitors_pulse (name, at, since) VALUES (%(name)s, %(now)s, %(now)s)
ON CONFLICT (name) DO UPDATE SET
    at = greatest(monitors_pulse.at, excluded.at),
    since = CASE WHEN monitors_pulse.at < %(gap_start)s THEN excluded.since ELSE monitors_pulse.since END
"""


def beat(name: str, now: datetime) -> None:
    """Note a run of the task called `name`."""
    with connection.cursor() as cursor:
        cursor.execute(BEAT, {"name": name, "now": now, "gap_start": now - GAP})


def running_since(name: str) -> datetime | None:
    """Since when the task has run without a gap; None before its first run."""
    return Pulse.objects.filter(name=name).values_list("since", flat=True).first()


def is_fresh(name: str, now: datetime) -> bool:
    """Whether the task ran within the last `GAP`."""
    return Pulse.objects.filter(name=name, at__gt=now - GAP).exists()
