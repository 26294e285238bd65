"""What is loaded: rollups of all monitors, evidence of the last day of all, and of a week of those asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Account
from monitors.hours import HOUR, floor_hour
from monitors.models import Monitor, MonitorState, Rollup, WatchedPeriod
from monitors.partitions import EVIDENCE, REGION_HOURS

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Size:
    monitors: int
    days: int
    """Of rollups."""
    raw_days: int
    """Of evidence of every monitor."""
    asked: int
    """Monitors that are asked about."""
    asked_days: int
    """Of evidence of these."""


# A region sees each monitor 20 times an hour, and one look in a hundred fails.
REGION_HOUR = """
INSERT INTO monitors_regionhour (
    monitor_id, hour, region, checks, failures, missed, errors, p50_ms, p95_ms, max_ms)
SELECT id, %(hour)s, region, 20, (random() < 0.2)::int, 0, 0,
       50 + 20 * random(), 90 + 40 * random(), 150 + 500 * random()
FROM unnest(%(ids)s::bigint[]) AS id, unnest(ARRAY['eu', 'us', 'ap']) AS region
"""
TROUBLE = """
INSERT INTO incidents_monitorhour (monitor_id, hour, downtime_seconds, incidents, inconclusive)
SELECT id, %(hour)s, 600 * random(), 1, 1 FROM unnest(%(ids)s::bigint[]) AS id WHERE random() < 0.01
"""
# The regions take turns, and the monitors are spread over the minute.
LOOKS = """
INSERT INTO monitors_evidence (
    monitor_id, scheduled_at, region, round_id, attempt, outcome, started_at, total_ms, error_class, error,
    status_code, address, family, dns_ms, connect_ms, tls_ms, ttfb_ms, download_ms)
SELECT id, slot, (ARRAY['eu', 'us', 'ap'])[1 + (id + %(minute)s) %% 3], 0, 1,
       CASE WHEN random() < 0.01 THEN 'down' ELSE 'up' END, slot, 50 + 40 * random(), '', '',
       200, '127.0.0.1', 4, 1, 5, 10, 40, 5
FROM (SELECT id, %(at)s + interval '6 milliseconds' * (id %% 10000) AS slot
      FROM unnest(%(ids)s::bigint[]) AS id) AS looks
"""


KEY = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass"


def load(size: Size) -> list[int]:
    """Fill the database as the system would have; return the monitors to ask about."""
    now = timezone.now()
    edge, first = floor_hour(now), floor_hour(now) - timedelta(days=size.days)
    for name in ("evidence", "late evidence", "downtime"):  # the system's own task finds nothing to do
        Rollup.objects.update_or_create(name=name, defaults={"until": edge})
    oldest = (now - timedelta(days=max(size.raw_days, size.asked_days))).date()
    REGION_HOURS.keep(first.date(), now.date(), horizon=first.date())
    EVIDENCE.keep(oldest, now.date(), horizon=oldest)
    ids = _monitors(size.monitors, first)
    asked = ids[:: max(1, len(ids) // size.asked)][: size.asked]
    _load_hours(ids, first, edge)
    _load_evidence(ids, asked, now, size)
    return asked


def vacuum() -> None:
    """What autovacuum does in the course of a month."""
    _execute("VACUUM ANALYZE")


def stored(size: Size) -> dict[str, int]:
    """How much there is, counted."""
    counted = {
        name: _value(f"SELECT count(*) FROM {table}")
        for name, table in (
            ("monitors", "monitors_monitor"),
            ("rollup_rows", "monitors_regionhour"),
            ("downtime_rows", "incidents_monitorhour"),
            ("evidence_rows", "monitors_evidence"),
        )
    }
    return counted | {
        "asked_monitors": size.asked,
        "rollup_days": size.days,
        "evidence_days_of_all": size.raw_days,
        "evidence_days_of_asked": size.asked_days,
        "database_mb": _value("SELECT pg_database_size(current_database()) / 1000000"),
    }


def _monitors(number: int, at: datetime) -> list[int]:
    """Monitors that are watched, but not scheduled, so that nothing is probed."""
    made = Monitor.objects.bulk_create(
        Monitor(
            account=Account.objects.get(),
            name=f"site {each}",
            url=f"http://127.0.0.1:9/{each}",
            type="http",
            interval_seconds=60,
            timeout_ms=10_000,
            created_at=at,
            updated_at=at,
        )
        for each in range(number)
    )
    MonitorState.objects.bulk_create(
        MonitorState(monitor=each, status="up", status_since=at, interval_seconds=60) for each in made
    )
    WatchedPeriod.objects.bulk_create(WatchedPeriod(monitor=each, began_at=at) for each in made)
    return [each.pk for each in made]


def _load_hours(ids: list[int], first: datetime, edge: datetime) -> None:
    """In the order of time, as the system does; the key is made afterwards, which is quicker."""
    with _without_key("monitors_regionhour"):
        hour = first
        while hour < edge:
            _execute(REGION_HOUR, {"ids": ids, "hour": hour})
            _execute(TROUBLE, {"ids": ids, "hour": hour})
            hour += HOUR


def _load_evidence(ids: list[int], asked: list[int], now: datetime, size: Size) -> None:
    minutes_of_all, minutes_of_asked = size.raw_days * 24 * 60, size.asked_days * 24 * 60
    with _without_key("monitors_evidence"):
        for minute in range(max(minutes_of_all, minutes_of_asked), 0, -1):
            of = ids if minute <= minutes_of_all else asked
            _execute(LOOKS, {"ids": of, "minute": minute, "at": now - minute * MINUTE})


@contextmanager
def _without_key(table: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(KEY, [f"{table}_pkey", table])
        (key,) = cursor.fetchone()
    _execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
    yield
    _execute("SET maintenance_work_mem = '512MB'")
    _execute(f"ALTER TABLE {table} ADD {key}")


def _execute(statement: str, values: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _value(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])
