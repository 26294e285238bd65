"""Steps 2 and 3a: the claim of what is due, and of what was lost with its worker.

A monitor's slots are a function of its id and interval, see `monitors.slots`, so nothing of a monitor is
written to schedule it: a row an interval says up to where all slots are claimed, see `monitors.schedules`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
from django.db import connection, transaction

from monitors import schedules
from monitors.models import MonitorState
from monitors.phases import PHASE_MS_SQL
from monitors.scheduled import Schedule
from monitors.schedules import SPANS
from monitors.windows import claimed_until
from probes.instants import unix_ms


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One check to run: the monitor as it was configured when it was claimed."""

    monitor_id: int
    config_version: int
    status: str
    scheduled_at_ms: int
    interval_seconds: int
    type: str
    url: str
    timeout_ms: int
    options: dict[str, Any]
    attempt: int = 1
    lost_in: str = ""
    """The region whose worker lost the first attempt: the second goes elsewhere."""


# The monitors that share a slot are found together or not at all, so that none of them is passed over.
DUE = f"""
FROM {SPANS}
CROSS JOIN LATERAL (
    SELECT monitor_id, config_version, status, span.cycle_ms + {PHASE_MS_SQL} AS slot_ms,
           interval_seconds, type, url, timeout_ms, options
    FROM monitors_scheduled
    WHERE interval_seconds = span.interval_seconds AND {PHASE_MS_SQL} BETWEEN span.first AND span.last
      AND scheduled_since < to_timestamp((span.cycle_ms + {PHASE_MS_SQL}) / 1000::float8)
    ORDER BY interval_seconds, {PHASE_MS_SQL}
    FETCH FIRST %(limit)s ROWS WITH TIES
) due
"""  # noqa: S608  # of constants
CLAIM = f"SELECT due.* {DUE}"
COUNT = f"SELECT count(*) {DUE}"

# What is returned comes from the CTE that locked the rows: read again from the table, it would be that of
# the statement's snapshot, and a row that another scheduler has just taken would be claimed twice.
# What has waited for longer than the interval was overtaken by a slot.
EXTRA = """
WITH due AS MATERIALIZED (
    SELECT monitor_id, config_version, status, interval_seconds, extra_check_at
    FROM monitors_monitorstate
    WHERE extra_check_at <= %(now)s
    ORDER BY extra_check_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE monitors_monitorstate SET extra_check_at = NULL
    WHERE monitor_id = ANY (ARRAY(SELECT monitor_id FROM due))
)
SELECT monitor_id, config_version, status, (extract(epoch FROM extra_check_at) * 1000)::bigint,
       interval_seconds, type, url, timeout_ms, options
FROM due
CROSS JOIN LATERAL (
    SELECT type, url, timeout_ms, options FROM monitors_monitor WHERE id = due.monitor_id LIMIT 1
) monitor
WHERE extra_check_at > %(now)s - interval_seconds * interval '1 s'
"""

# Only what was not answered comes back: nearly every lease runs out with nothing lost, and to read all its
# monitors took as long as to claim them. The LIMIT makes each of them one look into the index. What ran out
# long ago did so in an outage of ours: the monitor's latest slot has been claimed since, and is enough.
LOST = """
WITH expired AS (
    DELETE FROM monitors_lease WHERE id IN (
        SELECT id FROM monitors_lease WHERE expires_at <= %(now)s
        ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    RETURNING region, attempt, expires_at, monitor_ids, slots_ms
)
SELECT slot.monitor_id, config_version, status, slot.scheduled_at_ms,
       interval_seconds, type, url, timeout_ms, options, expired.region
FROM expired
CROSS JOIN unnest(expired.monitor_ids, expired.slots_ms) AS slot (monitor_id, scheduled_at_ms)
CROSS JOIN LATERAL (
    SELECT config_version, status, interval_seconds FROM monitors_monitorstate
    WHERE monitor_id = slot.monitor_id AND scheduled_since IS NOT NULL
      AND coalesce(last_scheduled_at, '-infinity') < to_timestamp(slot.scheduled_at_ms / 1000::float8)
    LIMIT 1
) state
CROSS JOIN LATERAL (
    SELECT type, url, timeout_ms, options FROM monitors_monitor WHERE id = slot.monitor_id LIMIT 1
) monitor
WHERE expired.attempt = 1 AND expires_at > %(now)s - greatest(interval_seconds, 60) * interval '1 s'
"""


@transaction.atomic(savepoint=False)
def claim_due(now: datetime, limit: int) -> list[Claim]:
    """Claim what is due: checks off the grid, and of each interval about `limit` slots, the oldest first.

    Fewer than `limit` in all: no more is to be had now. Two schedulers, or ten, claim nothing twice: each
    locks the intervals that it claims, and skips those of the others.
    """
    schedules.keep()
    slots = _claim_slots(unix_ms(now), limit)
    # Locked last: to count what was missed is to wait for rows, and who waits should hold none.
    return [*_claim_extra(now, limit), *slots]


def count_due(now: datetime, most: int) -> int:
    """How many checks are due and not claimed, at most `most`; of what was slept through one a monitor."""
    claimed = {row.interval_seconds: unix_ms(row.claimed_until) for row in Schedule.objects.all()}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {**schedules.spans(claimed, unix_ms(now)), "limit": most})
        count: int = cursor.fetchone()[0]
    return min(most, count + MonitorState.objects.filter(extra_check_at__lte=now)[:most].count())


def claim_lost(now: datetime, limit: int) -> list[Claim]:
    """Claim again, once, what at most `limit` leases promised and no evidence answered.

    A monitor whose newer slot was answered meanwhile needs no second look at the older one.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOST, {"now": now, "limit": limit})
        return [_claim(row, attempt=2, lost_in=region) for *row, region in cursor.fetchall()]


def _claim_extra(now: datetime, limit: int) -> list[Claim]:
    with connection.cursor() as cursor:
        cursor.execute(EXTRA, {"now": now, "limit": limit})
        return [_claim(row) for row in cursor.fetchall()]


def _claim_slots(now_ms: int, limit: int) -> list[Claim]:
    """The slots of intervals that nobody else is claiming; after an outage of ours each monitor's latest."""
    if not (claimed := schedules.lock(now_ms)):
        return []
    schedules.miss(claimed, now_ms)
    found = _found(claimed, now_ms, limit)
    reached = {
        seconds: claimed_until([claim.scheduled_at_ms for claim in found[seconds]], limit, now_ms)
        for seconds in claimed
    }
    schedules.move(reached)
    return [
        claim for seconds in claimed for claim in found[seconds] if claim.scheduled_at_ms <= reached[seconds]
    ]


def _found(claimed: Mapping[int, int], now_ms: int, limit: int) -> dict[int, list[Claim]]:
    """What came due of each interval, the oldest first: all of it, or at least `limit`."""
    found: dict[int, list[Claim]] = {seconds: [] for seconds in claimed}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {**schedules.spans(claimed, now_ms), "limit": limit})
        for row in cursor.fetchall():
            claim = _claim(row)
            found[claim.interval_seconds].append(claim)
    for claims in found.values():
        claims.sort(key=attrgetter("scheduled_at_ms"))
    return found


def _claim(row: Sequence[Any], attempt: int = 1, lost_in: str = "") -> Claim:
    monitor_id, config_version, status, slot_ms, interval_seconds, type_, url, timeout_ms, options = row
    return Claim(
        monitor_id=monitor_id,
        config_version=config_version,
        status=status,
        scheduled_at_ms=slot_ms,
        interval_seconds=interval_seconds,
        type=type_,
        url=url,
        timeout_ms=timeout_ms,
        options=msgspec.json.decode(options),
        attempt=attempt,
        lost_in=lost_in,
    )
