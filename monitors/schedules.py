"""The rows of `Schedule`, one an interval in use: kept, locked, and moved on by whoever claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from itertools import chain

from django.db import connection
from django.db.models import Exists, Min, OuterRef

from monitors.phases import PHASE_MS_SQL
from monitors.scheduled import Schedule, Scheduled
from monitors.windows import windows
from probes.instants import from_unix_ms, unix_ms

# One descent of the index finds an interval in use, however many monitors have it.
INTERVALS = f"""
WITH RECURSIVE used AS (
    (SELECT interval_seconds FROM monitors_scheduled ORDER BY interval_seconds, {PHASE_MS_SQL} LIMIT 1)
    UNION ALL
    SELECT following.interval_seconds FROM used CROSS JOIN LATERAL (
        SELECT interval_seconds FROM monitors_scheduled
        WHERE interval_seconds > used.interval_seconds
        ORDER BY interval_seconds, {PHASE_MS_SQL} LIMIT 1
    ) following
)
SELECT ARRAY(SELECT interval_seconds FROM used), ARRAY(SELECT interval_seconds FROM monitors_schedule)
"""  # noqa: S608  # of constants
OUR_TURN = "SELECT pg_try_advisory_xact_lock(hashtext('monitors_schedule'))"
# A row that is far ahead was claimed by a clock that was wrong: its interval goes on from now, and does not
# sleep until all clocks have come so far. Nor does a monitor that the same clock was asked about.
PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '{}s'"
PATIENCE_SECONDS = 15
"""A scheduler that stands still for longer with its locks loses them: all others would wait with it."""
LOCK = """
SELECT interval_seconds, least(claimed_until, %(now)s), claimed_until > %(too_far)s FROM monitors_schedule
WHERE claimed_until < %(now)s OR claimed_until > %(too_far)s
ORDER BY claimed_until FOR UPDATE SKIP LOCKED
"""
TOO_FAR = timedelta(minutes=1)
"""Further than schedulers' clocks are apart."""
UNDO = """
UPDATE monitors_monitorstate
SET scheduled_since = least(scheduled_since, %(now)s),
    last_scheduled_at = CASE WHEN last_scheduled_at <= %(too_far)s THEN last_scheduled_at END
WHERE monitor_id IN (
    SELECT monitor_id FROM monitors_monitorstate
    WHERE scheduled_since > %(too_far)s OR last_scheduled_at > %(too_far)s
    ORDER BY monitor_id FOR NO KEY UPDATE
)
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

# Past the wall of what can be done a few slots of each interval are missed with every claim, after an outage
# those of all monitors: the planner sees the ranges, and knows which it is. All rows are locked at once and
# in the order of their ids, as by those who store results: else the two would wait for each other.
MISSED = f"""
WITH slept AS MATERIALIZED (
    SELECT monitor_id FROM monitors_monitorstate
    WHERE monitor_id = ANY (ARRAY(SELECT monitor_id FROM monitors_scheduled WHERE {{ranges}}))
    ORDER BY monitor_id FOR NO KEY UPDATE
)
UPDATE monitors_monitorstate state SET missed_checks = missed_checks
    + (until_ms - {PHASE_MS_SQL}) / (interval_seconds * 1000::bigint)
    - (greatest(after_ms, floor(extract(epoch FROM scheduled_since) * 1000)::bigint) - {PHASE_MS_SQL})
        / (interval_seconds * 1000::bigint)
FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) gap (seconds, after_ms, until_ms)
WHERE monitor_id = ANY (ARRAY(SELECT monitor_id FROM slept))
  AND interval_seconds = gap.seconds
  AND scheduled_since < to_timestamp(until_ms / 1000::float8)
"""  # noqa: S608  # of constants
RANGE = f"interval_seconds = %s AND {PHASE_MS_SQL} BETWEEN %s AND %s"


def keep() -> None:
    """Have a row for each interval that is in use, and no other; nearly always it is so.

    One scheduler at a time sees to it: others would wait for a row that it has just made.
    """
    with connection.cursor() as cursor:
        cursor.execute(INTERVALS)
        used, known = map(set, cursor.fetchone())
        if used == known:
            return
        cursor.execute(OUR_TURN)
        (is_ours,) = cursor.fetchone()
    if is_ours:
        _begin(used - known)
        _end(known - used)


def lock(now_ms: int) -> dict[int, int]:
    """Up to where each interval is claimed, of those that nobody else is claiming, until the commit.

    Where one was claimed by a clock that was far ahead, what that clock told of monitors is undone as well.
    """
    now = from_unix_ms(now_ms)
    instants = {"now": now, "too_far": now + TOO_FAR}
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE.format(PATIENCE_SECONDS))
        cursor.execute(LOCK, instants)
        rows = cursor.fetchall()
        if any(is_too_far for *_, is_too_far in rows):
            cursor.execute(UNDO, instants)
    return {seconds: unix_ms(until) for seconds, until, _ in rows}


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


def miss(claimed: Mapping[int, int], now_ms: int) -> None:
    """Count what was slept through: the unclaimed slots of these intervals after which another came due."""
    gaps = [
        (seconds, until_ms, now_ms - seconds * 1000)
        for seconds, until_ms in claimed.items()
        if until_ms < now_ms - seconds * 1000
    ]
    if not gaps:
        return
    ranges = [
        (seconds, window.first, window.last)
        for seconds, after_ms, until_ms in gaps
        for window in windows(seconds * 1000, after_ms, until_ms)
    ]
    statement = MISSED.format(ranges=" OR ".join([RANGE] * len(ranges)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*chain.from_iterable(ranges), *map(list, zip(*gaps, strict=True))])


def lag(now: datetime) -> timedelta:
    """Since when not all is claimed that was due."""
    oldest = Schedule.objects.aggregate(at=Min("claimed_until"))["at"]
    return max(now - oldest, timedelta()) if oldest else timedelta()


def _begin(intervals: Collection[int]) -> None:
    """Rows of intervals that are new, from just before the first of their monitors is looked at."""
    scheduled = Scheduled.objects.filter(interval_seconds__in=intervals)
    firsts = scheduled.values_list("interval_seconds").annotate(Min("scheduled_since"))
    rows = [
        Schedule(interval_seconds=seconds, claimed_until=from_unix_ms(unix_ms(since) - 1))
        for seconds, since in firsts
    ]
    Schedule.objects.bulk_create(rows, ignore_conflicts=True)


def _end(intervals: Collection[int]) -> None:
    """No rows of intervals that nobody uses any more: they would look as if they lagged behind.

    Asked again once they are locked: a monitor may have one of them since, and its slots have been claimed.
    """
    free = Schedule.objects.select_for_update(skip_locked=True).filter(pk__in=intervals)
    locked = [row.pk for row in free]
    used = Exists(Scheduled.objects.filter(interval_seconds=OuterRef("pk")))
    Schedule.objects.filter(~used, pk__in=locked).delete()
