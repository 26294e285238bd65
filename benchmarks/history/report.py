"""The table, the goal and the file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from benchmarks.environment import REPOSITORY

FILE = REPOSITORY / "build/bench-history.json"
GOAL_P95_MS = 100


@dataclass(frozen=True)
class Latency:
    """Of one endpoint, as one client sees it."""

    p50_ms: float
    p95_ms: float
    max_ms: float
    bytes: int
    """Of one answer."""


@dataclass(frozen=True)
class Figures:
    loaded: dict[str, int]
    rollup_hour_s: float
    endpoints: dict[str, Latency]
    rows_scanned: int
    """Read without an index while the endpoints were asked."""


def loaded_text(loaded: dict[str, int]) -> str:
    """What there is, and what there is not."""
    return (
        f"loaded by SQL, not probed: {loaded['monitors']:,} monitors, each checked once a minute;"
        f" {loaded['rollup_rows']:,} hourly rows of {loaded['rollup_days']} days and 3 regions,"
        f" {loaded['downtime_rows']:,} of downtime; {loaded['evidence_rows']:,} rows of evidence:"
        f" {loaded['evidence_days_of_all']} day(s) of all monitors,"
        f" {loaded['evidence_days_of_asked']} of the {loaded['asked_monitors']} that are asked about;"
        f" {loaded['database_mb']:,} MB"
    )


def table(figures: Figures) -> str:
    """A row an endpoint."""
    rows = [f"{'GET /monitors/{id}/…':32}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}{'bytes':>9}"]
    for path, each in figures.endpoints.items():
        rows.append(f"{path:32}{each.p50_ms:9}{each.p95_ms:9}{each.max_ms:9}{each.bytes:9}")
    rows.append(f"an hour of all monitors rolled up in {figures.rollup_hour_s} s")
    rows.append(f"rows of history read without an index: {figures.rows_scanned}")
    return "\n".join(rows)


def missed_goals(figures: Figures) -> list[str]:
    """The goals that were not met, as sentences."""
    slow = [path for path, each in figures.endpoints.items() if each.p95_ms >= GOAL_P95_MS]
    scanned = ["no row of history is read without an index"] if figures.rows_scanned else []
    return [f"p95 of {path} under {GOAL_P95_MS} ms" for path in slow] + scanned


def write(figures: Figures) -> None:
    """Keep the figures."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(asdict(figures), indent=2) + "\n")
