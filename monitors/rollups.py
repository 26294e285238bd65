"""The evidence by the hour: one row for what a region saw of a monitor, kept long after the evidence.

An hour is rolled up `CLOSED_AFTER` its end, and again a day later, for evidence that came late: while the
core is away, results wait in the broker. To roll up an hour gives the same rows however often it is done;
one whose evidence is gone stays as it is. Votes of rounds are no checks. Latency is that of checks that
were up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from monitors.hours import HOUR, roll_up, rolled_up_until

CLOSED_AFTER = timedelta(minutes=10)
MOST_COUNTED = 2**15 - 1
"""A column holds no more. No hour has so many slots; one with more looks must not stop the rollup of all."""
PASSES = {"evidence": CLOSED_AFTER, "late evidence": timedelta(days=1)}

# A row that stays as it is is not written again: next to none changes on the second pass.
ROLL_UP = """
INSERT INTO monitors_regionhour AS old (
    monitor_id, hour, region, checks, failures, missed, errors, p50_ms, p95_ms, max_ms)
SELECT monitor_id, %(hour)s, region, checks, failures, missed, errors, ms[1], ms[2], max_ms
FROM (
    SELECT monitor_id, region,
           least(count(*) FILTER (WHERE outcome IN ('up', 'down')), %(most)s) AS checks,
           least(count(*) FILTER (WHERE outcome = 'down'), %(most)s) AS failures,
           least(count(*) FILTER (WHERE outcome = 'missed'), %(most)s) AS missed,
           least(count(*) FILTER (WHERE outcome = 'error'), %(most)s) AS errors,
           percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY total_ms)
               FILTER (WHERE outcome = 'up') AS ms,
           max(total_ms) FILTER (WHERE outcome = 'up') AS max_ms
    FROM monitors_evidence
    WHERE scheduled_at >= %(hour)s AND scheduled_at < %(end)s AND round_id = 0
    GROUP BY monitor_id, region
) AS seen
ON CONFLICT (monitor_id, hour, region) DO UPDATE SET
    checks = excluded.checks, failures = excluded.failures, missed = excluded.missed,
    errors = excluded.errors, p50_ms = excluded.p50_ms, p95_ms = excluded.p95_ms, max_ms = excluded.max_ms
WHERE (old.checks, old.failures, old.missed, old.errors, old.p50_ms, old.p95_ms, old.max_ms)
    IS DISTINCT FROM (excluded.checks, excluded.failures, excluded.missed, excluded.errors,
                      excluded.p50_ms, excluded.p95_ms, excluded.max_ms)
"""


def roll_up_evidence(since: datetime, now: datetime) -> int:
    """Roll up the hours that are due; return how many."""
    return sum(
        roll_up(name, roll_up_hour, delay=delay, since=since, now=now) for name, delay in PASSES.items()
    )


def roll_up_hour(hour: datetime) -> None:
    """Write the rows of one hour, or write them again."""
    with connection.cursor() as cursor:
        cursor.execute(ROLL_UP, {"hour": hour, "end": hour + HOUR, "most": MOST_COUNTED})


def evidence_rolled_up_until() -> datetime | None:
    """The end of the newest hour that is in the rows."""
    return rolled_up_until("evidence")
