"""Steps 2 and 3a: the claim of what is due, and of what was lost with its worker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from probes.instants import unix_ms


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One check to run: the monitor as it was configured when it was claimed."""

    monitor_id: int
    config_version: int
    status: str
    scheduled_at: datetime
    interval_seconds: int
    type: str
    url: str
    timeout_ms: int
    options: dict[str, Any]
    attempt: int = 1
    lost_in: str = ""
    """The region whose worker lost the first attempt: the second goes elsewhere."""


# Every value comes from the CTE that locked the rows: read again from the table, they would be those
# of the statement's snapshot, and a row that another scheduler has just moved would be claimed twice.
# The arrays make the planner use the indexes: it expects as many rows as the limit allows, however few are
# due, and for so many it reads both tables from end to end.
# After an outage of ours the check belongs to the latest slot; those slept through are counted as missed.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT monitor_id, config_version, status, next_check_at, interval_seconds * 1000::bigint AS interval_ms,
           (((monitor_id & 2147483647) * 2654435761 & 4294967295) * interval_seconds * 1000) >> 32 AS phase_ms
    FROM monitors_monitorstate
    WHERE next_check_at <= %(now)s
    ORDER BY next_check_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), slots AS (
    SELECT *, %(now_ms)s - (%(now_ms)s - phase_ms) %% interval_ms AS latest_ms,
           (extract(epoch FROM next_check_at) * 1000)::bigint AS next_ms FROM due
), moved AS (
    UPDATE monitors_monitorstate state
    SET next_check_at = to_timestamp((slots.latest_ms + slots.interval_ms) / 1000.0),
        missed_checks = state.missed_checks
            + greatest(0, (slots.latest_ms - slots.next_ms) / slots.interval_ms)
    FROM slots
    WHERE state.monitor_id = slots.monitor_id AND state.monitor_id = ANY (ARRAY(SELECT monitor_id FROM slots))
)
SELECT slots.monitor_id, config_version, status, greatest(next_check_at, to_timestamp(latest_ms / 1000.0)),
       (interval_ms / 1000)::int, type, url, timeout_ms, options
FROM slots JOIN monitors_monitor monitor ON monitor.id = slots.monitor_id
WHERE monitor.id = ANY (ARRAY(SELECT monitor_id FROM slots))
"""

# Only what was not answered comes back: nearly every lease runs out with nothing lost, and to read all its
# monitors took as long as to claim them. The LIMIT makes each of them one look into the index.
LOST = """
WITH expired AS (
    DELETE FROM monitors_lease WHERE id IN (
        SELECT id FROM monitors_lease WHERE expires_at <= %(now)s
        ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    RETURNING region, attempt, monitor_ids, scheduled_ats
)
SELECT slot.monitor_id, config_version, status, slot.scheduled_at, interval_seconds, type, url, timeout_ms,
       options, expired.region
FROM expired
CROSS JOIN unnest(expired.monitor_ids, expired.scheduled_ats) AS slot (monitor_id, scheduled_at)
CROSS JOIN LATERAL (
    SELECT config_version, status, interval_seconds FROM monitors_monitorstate
    WHERE monitor_id = slot.monitor_id AND next_check_at IS NOT NULL
      AND coalesce(last_scheduled_at, '-infinity') < slot.scheduled_at
    LIMIT 1
) state
CROSS JOIN LATERAL (
    SELECT type, url, timeout_ms, options FROM monitors_monitor WHERE id = slot.monitor_id LIMIT 1
) monitor
WHERE expired.attempt = 1
"""


def claim_due(now: datetime, limit: int) -> list[Claim]:
    """Claim at most `limit` checks that are due, and move each monitor to its next slot.

    Two schedulers, or ten, claim nothing twice: each locks its rows and skips those of the others.
    """
    parameters: dict[str, datetime | int] = {"now": now, "now_ms": unix_ms(now), "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, parameters)
        return [_claim(row) for row in cursor.fetchall()]


def claim_lost(now: datetime, limit: int) -> list[Claim]:
    """Claim again, once, what at most `limit` leases promised and no evidence answered.

    A monitor whose newer slot was answered meanwhile needs no second look at the older one.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOST, {"now": now, "limit": limit})
        return [_claim(row, attempt=2, lost_in=region) for *row, region in cursor.fetchall()]


def _claim(row: Sequence[Any], attempt: int = 1, lost_in: str = "") -> Claim:
    monitor_id, config_version, status, scheduled_at, interval_seconds, type_, url, timeout_ms, options = row
    return Claim(
        monitor_id=monitor_id,
        config_version=config_version,
        status=status,
        scheduled_at=scheduled_at.astimezone(UTC),
        interval_seconds=interval_seconds,
        type=type_,
        url=url,
        timeout_ms=timeout_ms,
        options=json.loads(options),
        attempt=attempt,
        lost_in=lost_in,
    )
