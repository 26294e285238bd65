"""The figures of a run: the goals, the table and the file. Pure but for the file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.environment import REPOSITORY

FILE = REPOSITORY / "build/bench.json"

MEANINGS = {
    "bare_probe_per_s": "a libcurl multi loop and nothing else, by second of its CPU",
    "worker_probe_per_s": "a regional worker, broker in and out, by second of its CPU",
    "pipeline_checks_per_s": "beat, claim, queue, workers, evidence and state; by the clock, all cores",
    "pipeline_cpu_ms_per_check": "of all our processes, PostgreSQL and Redis, at that rate",
    "bare_cpu_ms_per_check": "of the libcurl loop",
    "cpu_ratio": "of these two",
    "naive_checks_per_s": "a Celery task a check, requests, an INSERT; by the clock, all cores",
    "blackbox_probe_per_s": "blackbox_exporter, asked by a libcurl loop; by the clock, all cores",
    "claim_ms": "of 1,000 due, at so many monitors",
    "ingest_rows_per_s": "results to evidence and state, one task at a time; by the clock",
    "lag_p50_s": "from a check's slot to the start of its probe, at half of the capacity",
    "lag_p99_s": "the same, of the slowest in a hundred",
    "memory_mb": "of each program (PSS), with 1,000 probes in flight in each region",
}
"""The keys of the file, in its order, and what each says."""

Figures = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """What is promised, and whether a run keeps it; None if it measured too little to tell."""

    text: str
    value: float | None
    is_met: bool | None


def ordered(figures: Mapping[str, Any]) -> Figures:
    """What was measured, with what follows from it, in the order of the keys."""
    known = dict(figures)
    if "bare_probe_per_s" in known:
        known["bare_cpu_ms_per_check"] = round(1000 / known["bare_probe_per_s"], 3)
    ratio = _ratio(known, "pipeline_cpu_ms_per_check", "bare_cpu_ms_per_check")
    if ratio is not None:
        known["cpu_ratio"] = round(ratio, 2)
    return {key: known[key] for key in MEANINGS if key in known}


def goals(figures: Mapping[str, Any]) -> list[Goal]:
    """Every goal, met or not."""
    claims = figures.get("claim_ms", {})
    cpu, lag = figures.get("cpu_ratio"), figures.get("lag_p99_s")
    naive = _ratio(figures, "pipeline_checks_per_s", "naive_checks_per_s")
    blackbox = _ratio(figures, "pipeline_checks_per_s", "blackbox_probe_per_s")
    growth = {name: _growth(claims, name) for name in ("p50", "p99")}
    return [
        _at_most("CPU a check, in bare probes: at most 3.0", cpu, 3.0),
        _at_most("CPU a check, in bare probes: at most 2.0 (moonshot)", cpu, 2.0),
        _at_least("checks a second, in those of the naive design: at least 10", naive, 10.0),
        _at_least("checks a second, in blackbox_exporter's: more than 2", blackbox, 2.0),
        _at_most("claim p50 at 1,000,000 monitors, in that at 100,000: at most 1.5", growth["p50"], 1.5),
        _at_most("claim p99 at 1,000,000 monitors, in that at 100,000: at most 1.5", growth["p99"], 1.5),
        _at_most("lag p99 at half of the capacity, in seconds: under 1", lag, 1.0),
    ]


def table(figures: Mapping[str, Any]) -> str:
    """A row a figure."""
    rows = [(name, value, MEANINGS[key]) for key in figures for name, value in _spread(key, figures[key])]
    return "\n".join(f"{name:34}{_text(value):>10}  {meaning}" for name, value, meaning in rows)


def verdicts(of: Sequence[Goal]) -> str:
    """A line a goal."""
    words = {True: "met", False: "NOT MET", None: "not measured"}
    return "\n".join(f"{words[goal.is_met]:14}{_text(goal.value):>8}  {goal.text}" for goal in of)


def write(figures: Mapping[str, Any]) -> None:
    """Keep a whole run, with all keys and no others."""
    assert list(figures) == list(MEANINGS), set(MEANINGS) ^ set(figures)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(figures, indent=2) + "\n")


def _ratio(figures: Mapping[str, Any], over: str, under: str) -> float | None:
    above, below = figures.get(over), figures.get(under)
    return above / below if above is not None and below else None


def _growth(claims: Mapping[str, Mapping[str, float]], name: str) -> float | None:
    if not {"100000", "1000000"} <= claims.keys():
        return None
    return claims["1000000"][name] / claims["100000"][name]


def _at_most(text: str, value: float | None, bound: float) -> Goal:
    return Goal(text, value, None if value is None else value <= bound)


def _at_least(text: str, value: float | None, bound: float) -> Goal:
    return Goal(text, value, None if value is None else value >= bound)


def _spread(key: str, value: Any) -> list[tuple[str, Any]]:
    """The rows of a figure: of a nested one, one for each number in it."""
    if not isinstance(value, dict):
        return [(key, value)]
    return [row for name, inner in value.items() for row in _spread(f"{key} {name}", inner)]


def _text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:,.3g}"
