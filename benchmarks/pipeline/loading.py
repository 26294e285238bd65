"""Monitors by the hundred thousand, as the API would have made them, but in one statement a table.

Their phases are those of `monitors.slots`: a hash of the id, so that what is due together lies all over
the table.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.models import Model

from accounts.models import Account
from monitors.models import Monitor, MonitorState

TABLES = "monitors_scheduled, monitors_monitorstate, monitors_monitor, monitors_schedule, accounts_account"
TIMEOUT_MS = 10_000

ACCOUNT = {"id": "1", "name": "'benchmark'", "created_at": "now()"}
MONITOR = {
    "id": "id",
    "account_id": "1",
    "name": "'site ' || id",
    "url": "%(url)s || id",
    "type": "'http'",
    "interval_seconds": "%(interval_seconds)s",
    "timeout_ms": "%(timeout_ms)s",
    "options": """'{"expected_status": 200}'""",
    "created_at": "now()",
    "updated_at": "now()",
}
STATE = {
    "monitor_id": "id",
    "status": "'up'",
    "status_since": "now()",
    "interval_seconds": "%(interval_seconds)s",
}
SCHEDULE = """
UPDATE monitors_monitorstate SET scheduled_since = to_timestamp(%(now_ms)s / 1000.0)
WHERE monitor_id > %(after)s AND monitor_id <= %(last)s
"""


def load(
    connection: psycopg.Connection[Any],
    count: int,
    interval_seconds: int,
    url: str,
    timeout_ms: int = TIMEOUT_MS,
) -> None:
    """Replace all monitors by `count` that are up and not scheduled; `url` is what precedes the id."""
    connection.execute(f"TRUNCATE {TABLES} CASCADE")
    values = {"url": url, "interval_seconds": interval_seconds, "timeout_ms": timeout_ms}
    _insert(connection, Account, 1, ACCOUNT, {})
    _insert(connection, Monitor, count, MONITOR, values)
    _insert(connection, MonitorState, count, STATE, values)


def schedule(connection: psycopg.Connection[Any], after: int, last: int, now_ms: int) -> None:
    """Have the monitors with ids in `(after, last]` looked at from their next slots on."""
    connection.execute(SCHEDULE, {"after": after, "last": last, "now_ms": now_ms})


def settle(connection: psycopg.Connection[Any]) -> None:
    """What a database has done long ago that has run for a while."""
    for table in TABLES.split(", "):
        connection.execute(f"VACUUM ANALYZE {table}")
    connection.execute("CHECKPOINT")


def _insert(
    connection: psycopg.Connection[Any],
    model: type[Model],
    count: int,
    expressions: dict[str, str],
    values: dict[str, Any],
) -> None:
    """Rows with ids from 1 to `count`; a column without an expression has its model's default."""
    fields = {str(field.column): field for field in model._meta.concrete_fields}
    defaults = {column: field.get_default() for column, field in fields.items() if column not in expressions}
    selected = ", ".join(expressions.get(column, f"%({column})s") for column in fields)
    statement = (
        f"INSERT INTO {model._meta.db_table} ({', '.join(fields)})"
        f" SELECT {selected} FROM generate_series(1, %(count)s) id"
    )
    connection.execute(statement, {**values, **defaults, "count": count})
