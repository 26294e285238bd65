"""The interval of a monitor that has long been down (the native contract, "Check behavior").

After 10 minutes of downtime it grows stepwise from 1 to 5 minutes, and is the configured one again at once
on recovery. An interval that is longer anyway stays.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

STEPS = tuple(
    (timedelta(minutes=down_for), timedelta(minutes=interval))
    for down_for, interval in ((30, 5), (25, 4), (20, 3), (15, 2), (10, 1))
)
"""From so much downtime on, at least this interval; the longest first: each monitor is written once."""

# Locked in the order of their ids, as by all who lock many: else two would wait for each other.
STRETCH = """
WITH down AS MATERIALIZED (
    SELECT monitor_id FROM monitors_monitorstate
    WHERE status = 'down' AND status_since <= %(since)s AND interval_seconds < %(seconds)s
    ORDER BY monitor_id FOR NO KEY UPDATE
)
UPDATE monitors_monitorstate SET interval_seconds = %(seconds)s,
    scheduled_since = CASE WHEN scheduled_since IS NOT NULL THEN %(now)s END
WHERE monitor_id = ANY (ARRAY(SELECT monitor_id FROM down))
"""


def stretch_intervals(now: datetime) -> None:
    """Bring the intervals in force of all monitors that are down up to their step.

    The slots of the new interval are looked at from now on: those before were none of the monitor's.
    """
    with connection.cursor() as cursor:
        for down_for, interval in STEPS:
            seconds = round(interval.total_seconds())
            cursor.execute(STRETCH, {"since": now - down_for, "seconds": seconds, "now": now})
