"""How long `claim_due` takes for 1,000 that are due, by the size of the table."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
from django.db import transaction
from django.utils import timezone

from benchmarks.percentiles import percentiles
from benchmarks.pipeline import loading
from benchmarks.pipeline.costs import Costs
from monitors.scheduling import claim_due
from probes.instants import unix_ms

Say = Callable[[str], None]

SIZES = (1_000, 100_000, 1_000_000)
DUE = 1_000
INTERVAL_SECONDS = 300
WARM_UP = 20
CLAIMS = 1_000


def claim_ms(database_url: str, say: Say) -> dict[str, dict[str, float]]:
    """The percentiles of each size."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        return {str(size): _at(connection, size, say) for size in SIZES}


def _at(connection: psycopg.Connection[object], size: int, say: Say) -> dict[str, float]:
    """Claim with a clock that goes on by what brings `DUE` more; commits count."""
    now = timezone.now()
    loading.load(connection, size, INTERVAL_SECONDS, "http://127.0.0.1:9/")
    loading.schedule(connection, 0, size, unix_ms(now))
    loading.settle(connection)
    step = timedelta(seconds=INTERVAL_SECONDS * DUE / size)
    for number in range(1, WARM_UP + 1):
        _claim(now + number * step)
    costs = Costs()
    taken = [_claim(now + number * step) for number in range(WARM_UP + 1, WARM_UP + CLAIMS + 1)]
    p50, p99 = percentiles(taken, 50, 99)
    say(f"{size:,} monitors: p50 {p50:.1f} ms, p99 {p99:.1f} ms; {costs.per_check(CLAIMS * DUE)}")
    return {"p50": round(p50, 2), "p99": round(p99, 2)}


def _claim(now: datetime) -> float:
    """Milliseconds for each 1,000 that were claimed."""
    begin = time.perf_counter()
    with transaction.atomic():
        claimed = len(claim_due(now, 2 * DUE))
    return (time.perf_counter() - begin) * 1000 * DUE / claimed
