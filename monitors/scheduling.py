"""Steps 2 and 3a: the claim of what is due, and of what was lost with its worker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from monitors.models import Lease, MonitorState
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

EXPIRED = """
DELETE FROM monitors_lease WHERE id IN (
    SELECT id FROM monitors_lease WHERE expires_at <= %(now)s
    ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING id, region, attempt, expires_at, monitor_ids, scheduled_ats
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
    leases = Lease.objects.raw(EXPIRED, {"now": now, "limit": limit})
    return [claim for lease in leases if lease.attempt == 1 for claim in _unanswered(lease)]


def _unanswered(lease: Lease) -> list[Claim]:
    slots = dict(zip(lease.monitor_ids, lease.scheduled_ats, strict=True))
    states = MonitorState.objects.filter(pk__in=slots, next_check_at__isnull=False).select_related("monitor")
    return [
        Claim(
            monitor_id=state.pk,
            config_version=state.config_version,
            status=state.status,
            scheduled_at=slots[state.pk],
            interval_seconds=state.interval_seconds,
            type=state.monitor.type,
            url=state.monitor.url,
            timeout_ms=state.monitor.timeout_ms,
            options=state.monitor.options,
            attempt=2,
            lost_in=lease.region,
        )
        for state in states
        if state.last_scheduled_at is None or state.last_scheduled_at < slots[state.pk]
    ]


def _claim(row: tuple[Any, ...]) -> Claim:
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
    )
