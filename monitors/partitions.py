"""The daily partitions of the evidence: made ahead, dropped behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import connection

DAYS_AHEAD = 3
PREFIX = "monitors_evidence_"

EXISTING = """
SELECT child.relname FROM pg_inherits
JOIN pg_class child ON child.oid = inhrelid
WHERE inhparent = 'monitors_evidence'::regclass
"""


def keep_partitions(now: datetime, retention_days: int) -> None:
    """Make the partitions from yesterday to `DAYS_AHEAD`, and drop those wholly past the retention."""
    today = now.astimezone(UTC).date()
    wanted = {today + timedelta(days=offset) for offset in range(-1, DAYS_AHEAD + 1)}
    existing = partitions()
    for day in sorted(wanted - existing):
        _create(day)
    for day in sorted(day for day in existing if day < today - timedelta(days=retention_days)):
        _drop(day)


def partitions() -> set[date]:
    """The days that have a partition."""
    with connection.cursor() as cursor:
        cursor.execute(EXISTING)
        names = [name for (name,) in cursor.fetchall()]
    return {
        datetime.strptime(name.removeprefix(PREFIX), "%Y%m%d").replace(tzinfo=UTC).date() for name in names
    }


def _create(day: date) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    _execute(
        f"CREATE TABLE IF NOT EXISTS {_name(day)} PARTITION OF monitors_evidence"
        f" FOR VALUES FROM ('{start.isoformat()}') TO ('{(start + timedelta(days=1)).isoformat()}')"
    )


def _drop(day: date) -> None:
    _execute(f"DROP TABLE IF EXISTS {_name(day)}")


def _name(day: date) -> str:
    return f"{PREFIX}{day:%Y%m%d}"


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
