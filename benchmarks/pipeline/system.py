"""The whole system under a load that is offered to it: `make up` with monitors by the hundred thousand."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks.environment import Environment
from benchmarks.pipeline import loading
from benchmarks.usage import cpu_by_program, cpu_seconds, memory_mb
from config.local.paths import Paths
from probes.clock import now_ms

AT_ONCE = 5_000
"""Monitors that one statement schedules."""
GRACE_SECONDS = 2.0
"""A check that is stored later than this after its slot was not done in time."""
DONE = """
SELECT count(*), percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (
    ORDER BY extract(epoch FROM started_at - scheduled_at)::float8)
FROM monitors_evidence
WHERE outcome = 'up' AND scheduled_at >= to_timestamp(%(began_at)s)
  AND scheduled_at < to_timestamp(%(end_at)s)
"""


@dataclass(frozen=True)
class Window:
    """What happened while a load was steady."""

    offered_per_s: float
    checks_per_s: float
    """Stored in time, as up: what was missed, or went down under the load, does not count."""
    cpu_ms_per_check: float
    lag_p50_s: float
    lag_p99_s: float
    cpu_us_by_program: dict[str, int]
    """Of a check's CPU, what each program had."""


class System:
    """A running environment, and its database."""

    def __init__(self, environment: Environment, database: psycopg.Connection[Any]) -> None:
        self.environment = environment
        self.database = database
        self.interval_seconds = 0
        self.scheduled = 0
        """The monitors with ids up to this are."""

    def load(self, most_per_s: float, interval_seconds: int, url: str, **options: int) -> None:
        """Make the monitors that such a load takes; none is scheduled yet."""
        self.interval_seconds, self.scheduled = interval_seconds, 0
        loading.load(self.database, round(most_per_s * interval_seconds), interval_seconds, url, **options)
        loading.settle(self.database)

    def offer(self, per_s: float) -> None:
        """Schedule as many monitors as make that many checks a second; never fewer than before.

        Some at a time: what one statement schedules for seconds is late when it is done.
        """
        last = round(per_s * self.interval_seconds)
        for first in range(self.scheduled, last, AT_ONCE):
            loading.schedule(self.database, first, min(first + AT_ONCE, last), now_ms())
        # As in a database that has run for a while: what was just scheduled is no news to its planner, and
        # has not left as many dead rows.
        self.database.execute("VACUUM ANALYZE monitors_monitorstate, monitors_scheduled")
        self.scheduled = last

    def watch(self, seconds: float) -> Window:
        """Let so much time go by, and see what it brought."""
        by_program, cpu_before, began_at = self._cpu_by_program(), self._cpu_seconds(), time.time()
        time.sleep(seconds)
        cpu, end_at = self._cpu_seconds() - cpu_before, time.time()
        # By slots, not by the clock: each tick brings many at once, and a window cuts one in two.
        slots = {"began_at": began_at - GRACE_SECONDS, "end_at": end_at - GRACE_SECONDS}
        done, lag = self.database.execute(DONE, slots).fetchone() or (0, None)
        p50, p99 = lag or (float("inf"), float("inf"))
        took = end_at - began_at
        used = {name: seconds - by_program[name] for name, seconds in self._cpu_by_program().items()}
        return Window(
            offered_per_s=self.scheduled / self.interval_seconds,
            checks_per_s=done / took,
            cpu_ms_per_check=cpu * 1000 / max(done, 1),
            lag_p50_s=p50,
            lag_p99_s=p99,
            cpu_us_by_program={name: round(seconds * 1e6 / max(done, 1)) for name, seconds in used.items()},
        )

    def memory_mb(self) -> dict[str, float]:
        """Of each program."""
        return memory_mb(self._manager)

    def in_flight(self) -> dict[str, int]:
        """Probes by region, as its worker last reported them."""
        return dict(self.database.execute("SELECT name, in_flight FROM monitors_region").fetchall())

    @property
    def _manager(self) -> psutil.Process:
        assert self.environment.process
        return psutil.Process(self.environment.process.pid)

    def _cpu_seconds(self) -> float:
        return cpu_seconds(self.environment.processes())

    def _cpu_by_program(self) -> dict[str, float]:
        return cpu_by_program(self._manager)


@contextmanager
def running(folder: Path) -> Iterator[System]:
    """One, for the block; what it has left behind is told."""
    environment = Environment(folder)
    environment.start()
    try:
        with psycopg.connect(Paths(environment.folder).database_url, autocommit=True) as database:
            yield System(environment, database)
    finally:
        for left in environment.stop():
            print(f"still there: {left}", file=sys.stderr)
