"""The rows of `Schedule`, one an interval in use: kept, locked, and moved on by whoever claims."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Min

from monitors.models import Schedule
from monitors.windows import windows
from probes.instants import from_unix_ms, unix_ms

# One descent of the index finds an interval in use, however many monitors have it. One scheduler at a time
# looks after the rows: the others would wait for a row that it has just made.
# A new row begins at the millisecond before its first monitor, since slots are of whole ones.
KEEP = """
WITH RECURSIVE used AS (
    (SELECT interval_seconds FROM monitors_monitorstate
     WHERE scheduled_since IS NOT NULL ORDER BY interval_seconds, phase_ms LIMIT 1)
    UNION ALL
    SELECT following.interval_seconds FROM used CROSS JOIN LATERAL (
        SELECT interval_seconds FROM monitors_monitorstate
        WHERE scheduled_since IS NOT NULL AND interval_seconds > used.interval_seconds
        ORDER BY interval_seconds, phase_ms LIMIT 1
    ) following
), turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtext('monitors_schedule')) AS is_ours
), unused AS (
    DELETE FROM monitors_schedule WHERE interval_seconds = ANY (ARRAY(
        SELECT interval_seconds FROM monitors_schedule
        WHERE (SELECT is_ours FROM turn) AND interval_seconds <> ALL (ARRAY(SELECT interval_seconds FROM used))
        FOR UPDATE SKIP LOCKED
    ))
)
INSERT INTO monitors_schedule (interval_seconds, claimed_until)
SELECT interval_seconds, (
    SELECT date_trunc('milliseconds', min(scheduled_since)) FROM monitors_monitorstate state
    WHERE state.interval_seconds = used.interval_seconds AND scheduled_since IS NOT NULL
)
FROM used
WHERE (SELECT is_ours FROM turn)
  AND interval_seconds <> ALL (ARRAY(SELECT interval_seconds FROM monitors_schedule))
ON CONFLICT DO NOTHING
"""
LOCK = """
SELECT interval_seconds, claimed_until FROM monitors_schedule
WHERE claimed_until < %s ORDER BY claimed_until FOR UPDATE SKIP LOCKED
"""
MOVE = """
UPDATE monitors_schedule SET claimed_until = moved.claimed_until
FROM unnest(%s::int[], %s::timestamptz[]) moved (interval_seconds, claimed_until)
WHERE monitors_schedule.interval_seconds = moved.interval_seconds
"""

SPANS = """
unnest(%(intervals)s::int[], %(firsts)s::bigint[], %(lasts)s::bigint[], %(cycles)s::bigint[])
    span (interval_seconds, first, last, cycle_ms)
"""

# Past the wall of what can be done a few slots of each interval are missed with every claim: only the
# monitors that these belong to are read.
MISSED = f"""
UPDATE monitors_monitorstate state SET missed_checks = missed_checks
    + (%(until_ms)s - phase_ms) / (span.interval_seconds * 1000::bigint)
    - (greatest(%(after_ms)s, floor(extract(epoch FROM scheduled_since) * 1000)::bigint) - phase_ms)
        / (span.interval_seconds * 1000::bigint)
FROM {SPANS}
WHERE state.interval_seconds = span.interval_seconds AND phase_ms BETWEEN span.first AND span.last
  AND scheduled_since < to_timestamp(%(until_ms)s / 1000::float8)
"""  # noqa: S608  # of constants


def keep() -> None:
    """Have a row for each interval that is in use, and no other."""
    with connection.cursor() as cursor:
        cursor.execute(KEEP)


def lock(now_ms: int) -> dict[int, int]:
    """Up to where each interval is claimed, of those that nobody else is claiming, until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [from_unix_ms(now_ms)])
        return {seconds: unix_ms(until) for seconds, until in cursor.fetchall()}


def move(reached: Mapping[int, int]) -> None:
    """Note up to where each of these intervals is claimed now."""
    with connection.cursor() as cursor:
        cursor.execute(MOVE, [list(reached), [from_unix_ms(until) for until in reached.values()]])


def spans(claimed: Mapping[int, int], now_ms: int) -> dict[str, list[int]]:
    """The windows of these intervals up to now, as the parameters of `SPANS`."""
    found = [
        (seconds, *window)
        for seconds, until in claimed.items()
        for window in windows(seconds * 1000, until, now_ms)
    ]
    columns = zip(*found, strict=True) if found else [()] * 4
    return dict(zip(("intervals", "firsts", "lasts", "cycles"), map(list, columns), strict=True))


def miss(interval_seconds: int, after_ms: int, until_ms: int) -> None:
    """Count the slots in (`after_ms`, `until_ms`] as missed: they were slept through."""
    values = spans({interval_seconds: after_ms}, until_ms)
    with connection.cursor() as cursor:
        cursor.execute(MISSED, {**values, "after_ms": after_ms, "until_ms": until_ms})


def lag(now: datetime) -> timedelta:
    """Since when not all is claimed that was due."""
    oldest = Schedule.objects.aggregate(at=Min("claimed_until"))["at"]
    return max(now - oldest, timedelta()) if oldest else timedelta()
