"""Steps 2 and 3a: the claim of what is due, and of what was lost with its worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

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


# The slot of a monitor is a function of its own row and of now; see `monitors.slots`.
PHASE_MS = "((((monitor_id & 2147483647) * 2654435761 & 4294967295) * interval_seconds * 1000) >> 32)"
INTERVAL_MS = "(interval_seconds * 1000::bigint)"
LATEST_MS = f"(%(now_ms)s - (%(now_ms)s - {PHASE_MS}) %% {INTERVAL_MS})"
NEXT_MS = "(extract(epoch FROM next_check_at) * 1000)::bigint"

# What is returned comes from the CTE that locked the rows: read again from the table, it would be that of
# the statement's snapshot, and a row that another scheduler has just moved would be claimed twice.
# No join is left to the planner. It expects as many rows as the limit allows, or none at all before the table
# was analysed, and chose to read both tables from end to end, or every claimed row once for each of them.
# After an outage of ours the check belongs to the latest slot; those slept through are counted as missed.
CLAIM = f"""
WITH due AS MATERIALIZED (
    SELECT monitor_id, config_version, status, interval_seconds,
           greatest({NEXT_MS}, {LATEST_MS}) AS scheduled_at_ms
    FROM monitors_monitorstate
    WHERE next_check_at <= %(now)s
    ORDER BY next_check_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE monitors_monitorstate
    SET next_check_at = to_timestamp(({LATEST_MS} + {INTERVAL_MS}) / 1000.0),
        missed_checks = missed_checks + greatest(0, ({LATEST_MS} - {NEXT_MS}) / {INTERVAL_MS})
    WHERE monitor_id = ANY (ARRAY(SELECT monitor_id FROM due))
)
SELECT monitor_id, config_version, status, scheduled_at_ms, interval_seconds, type, url, timeout_ms, options
FROM due
CROSS JOIN LATERAL (
    SELECT type, url, timeout_ms, options FROM monitors_monitor WHERE id = due.monitor_id LIMIT 1
) monitor
"""  # noqa: S608  # of constants

# Only what was not answered comes back: nearly every lease runs out with nothing lost, and to read all its
# monitors took as long as to claim them. The LIMIT makes each of them one look into the index.
LOST = """
WITH expired AS (
    DELETE FROM monitors_lease WHERE id IN (
        SELECT id FROM monitors_lease WHERE expires_at <= %(now)s
        ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    RETURNING region, attempt, monitor_ids, slots_ms
)
SELECT slot.monitor_id, config_version, status, slot.scheduled_at_ms,
       interval_seconds, type, url, timeout_ms, options, expired.region
FROM expired
CROSS JOIN unnest(expired.monitor_ids, expired.slots_ms) AS slot (monitor_id, scheduled_at_ms)
CROSS JOIN LATERAL (
    SELECT config_version, status, interval_seconds FROM monitors_monitorstate
    WHERE monitor_id = slot.monitor_id AND next_check_at IS NOT NULL
      AND coalesce(last_scheduled_at, '-infinity') < to_timestamp(slot.scheduled_at_ms / 1000.0)
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
