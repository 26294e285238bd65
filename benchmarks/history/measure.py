"""What is measured: each endpoint over HTTP, from one client, and an hour's rollup."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from itertools import cycle, islice
from statistics import quantiles

from django.db import connection
from django.utils import timezone

from benchmarks.environment import Environment
from benchmarks.history.report import Latency
from monitors.hours import HOUR, floor_hour
from monitors.rollups import roll_up_hour

LEAST = "rounds"
"""Empty here: what any answer about a monitor costs."""
PATHS = (
    LEAST,
    "results",
    "results?limit=100&offset=5000",
    "results?outcome=down",
    *(f"uptime?window={window}" for window in ("24h", "7d", "30d", "90d")),
    *(f"latency?window={window}" for window in ("24h", "7d", "30d", "90d")),
)
SCANS = """
SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables
WHERE relname LIKE 'monitors\\_evidence\\_%' OR relname LIKE 'monitors\\_regionhour\\_%'
"""
STATISTICS_SECONDS = 12
"""A connection that is idle adds to the counters within 10 s."""


def endpoints(environment: Environment, monitor_ids: list[int], requests: int) -> dict[str, Latency]:
    """The times of each endpoint, each request about the next of the monitors."""
    key = (environment.folder / "api-key").read_text().strip()
    return {path: _times(environment.port, key, path, monitor_ids, requests) for path in PATHS}


def rollup_seconds() -> float:
    """How long it takes to roll up an hour of all monitors."""
    hour = floor_hour(timezone.now()) - 2 * HOUR
    begun = time.perf_counter()
    roll_up_hour(hour)
    return round(time.perf_counter() - begun, 2)


def rows_scanned() -> int:
    """How many rows of history were read without an index since the database was made."""
    time.sleep(STATISTICS_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(SCANS)
        return int(cursor.fetchone()[0])


def _times(port: int, key: str, path: str, monitor_ids: list[int], requests: int) -> Latency:
    client = HTTPConnection("127.0.0.1", port, timeout=30)
    taken = []
    for monitor_id in islice(cycle(monitor_ids), requests):
        begun = time.perf_counter()
        client.request(
            "GET", f"/api/v1/monitors/{monitor_id}/{path}", headers={"Authorization": f"Bearer {key}"}
        )
        response = client.getresponse()
        content = response.read()
        taken.append(1000 * (time.perf_counter() - begun))
        assert response.status == 200, content
        _refuse_empty(path, json.loads(content))
    cuts = quantiles(taken, n=100)
    return Latency(
        p50_ms=round(cuts[49], 1), p95_ms=round(cuts[94], 1), max_ms=round(max(taken), 1), bytes=len(content)
    )


def _refuse_empty(path: str, body: dict[str, object]) -> None:
    """An answer without anything in it would be quick for nothing."""
    assert path == LEAST or body.get("results") or body.get("points") or body.get("checks"), (
        f"{path}: nothing in {body}"
    )
