"""Confirmed downtime by the hour: what is left of incidents and rounds when they themselves are forgotten.

Downtime is the time of `down` incidents, and while a monitor flaps, when no such incident is open, the time
from each confirmed change to down until the next change. None of these overlap. An hour in which nothing was
down, began or stayed inconclusive has no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from incidents.models import MonitorHour
from monitors.hours import HOUR, roll_up, rolled_up_until

NAME = "downtime"
CLOSED_AFTER = timedelta(minutes=10)
"""By then what happened in an hour is committed, and its rounds are over."""
MOST_AT_ONCE = 10_000

# A stretch whose end is before its beginning comes of two machines' clocks, and is none.
COUNT = """
WITH flapping AS (
    SELECT incident.monitor_id, change.at AS began_at, change.to_status,
           coalesce(lead(change.at) OVER (PARTITION BY incident.id ORDER BY change.sequence),
                    incident.resolved_at) AS ended_at
    FROM incidents_incident incident JOIN incidents_transition change
        ON change.monitor_id = incident.monitor_id AND change.at >= incident.started_at
        AND (incident.resolved_at IS NULL OR change.at < incident.resolved_at)
    WHERE incident.type = 'flapping' AND incident.started_at < %(end)s
      AND (incident.resolved_at IS NULL OR incident.resolved_at > %(start)s)
      AND (%(monitor_id)s IS NULL OR incident.monitor_id = %(monitor_id)s)
), down AS (
    SELECT monitor_id, began_at, ended_at FROM flapping WHERE to_status = 'down'
    UNION ALL
    SELECT monitor_id, started_at, resolved_at FROM incidents_incident
    WHERE type = 'down' AND started_at < %(end)s AND (resolved_at IS NULL OR resolved_at > %(start)s)
      AND (%(monitor_id)s IS NULL OR monitor_id = %(monitor_id)s)
), clipped AS (
    SELECT monitor_id, greatest(began_at, %(start)s) AS began_at,
           least(coalesce(ended_at, %(end)s), %(end)s) AS ended_at
    FROM down
), counted AS (
    SELECT monitor_id, extract(epoch FROM ended_at - began_at)::float8 AS downtime_seconds,
           0 AS incidents, 0 AS inconclusive
    FROM clipped WHERE ended_at > began_at
    UNION ALL
    SELECT monitor_id, 0, 1, 0 FROM incidents_incident
    WHERE started_at >= %(start)s AND started_at < %(end)s
      AND (%(monitor_id)s IS NULL OR monitor_id = %(monitor_id)s)
    UNION ALL
    SELECT monitor_id, 0, 0, 1 FROM incidents_round
    WHERE verdict = 'inconclusive' AND opened_at >= %(start)s AND opened_at < %(end)s
      AND (%(monitor_id)s IS NULL OR monitor_id = %(monitor_id)s)
)
SELECT monitor_id, sum(downtime_seconds) AS downtime_seconds, sum(incidents) AS incidents,
       sum(inconclusive) AS inconclusive
FROM counted GROUP BY monitor_id
"""

ROLL_UP = f"""
INSERT INTO incidents_monitorhour (monitor_id, hour, downtime_seconds, incidents, inconclusive)
SELECT monitor_id, %(start)s, downtime_seconds, incidents, inconclusive FROM ({COUNT}) AS counted_hour
ON CONFLICT (monitor_id, hour) DO UPDATE SET
    downtime_seconds = excluded.downtime_seconds, incidents = excluded.incidents,
    inconclusive = excluded.inconclusive
"""  # noqa: S608  # of two constants


@dataclass(frozen=True)
class Trouble:
    """What was confirmed of a monitor in some time, and how many rounds ended without a verdict."""

    downtime_seconds: float = 0.0
    incidents: int = 0
    """Those that began."""
    inconclusive: int = 0

    def __add__(self, other: Trouble) -> Trouble:
        return Trouble(
            self.downtime_seconds + other.downtime_seconds,
            self.incidents + other.incidents,
            self.inconclusive + other.inconclusive,
        )


def roll_up_downtime(now: datetime) -> int:
    """Roll up the hours that are due; return how many."""
    since = now - settings.INCIDENT_RETENTION
    return roll_up(NAME, roll_up_hour, delay=CLOSED_AFTER, since=since, now=now)


def roll_up_hour(hour: datetime) -> None:
    """Write the rows of one hour, or write them again."""
    with connection.cursor() as cursor:
        cursor.execute(ROLL_UP, {"start": hour, "end": hour + HOUR, "monitor_id": None})


def count(monitor_id: int, start: datetime, end: datetime) -> Trouble:
    """The trouble of one monitor from `start` to `end`, from incidents and rounds themselves."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"start": start, "end": end, "monitor_id": monitor_id})
        row = cursor.fetchone()
    return Trouble(row[1], int(row[2]), int(row[3])) if row else Trouble()


def downtime_rolled_up_until() -> datetime | None:
    """The end of the newest hour that is in the rows."""
    return rolled_up_until(NAME)


def forget_hours(horizon: datetime) -> None:
    """Drop rows of before `horizon`, some at a time."""
    old = MonitorHour.objects.filter(hour__lt=horizon).order_by("hour").values("pk")[:MOST_AT_ONCE]
    MonitorHour.objects.filter(pk__in=old).delete()
