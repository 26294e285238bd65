"""The figures of `make bench`: what follows from them, the goals, and the monitors that it loads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.utils import timezone

from benchmarks.pipeline import figures, loading
from benchmarks.pipeline.capacity import carries
from benchmarks.pipeline.system import Window
from benchmarks.usage import cpu_seconds
from monitors.models import Monitor, MonitorState
from probes.instants import from_unix_ms, unix_ms

KEYS = [
    "bare_probe_per_s",
    "worker_probe_per_s",
    "pipeline_checks_per_s",
    "pipeline_cpu_ms_per_check",
    "bare_cpu_ms_per_check",
    "cpu_ratio",
    "naive_checks_per_s",
    "blackbox_probe_per_s",
    "claim_ms",
    "ingest_rows_per_s",
    "lag_p50_s",
    "lag_p99_s",
    "memory_mb",
]
MEASURED: dict[str, Any] = {
    "memory_mb": {"core": 100.0},
    "bare_probe_per_s": 10_000,
    "worker_probe_per_s": 5_000,
    "pipeline_checks_per_s": 3_000,
    "pipeline_cpu_ms_per_check": 0.3,
    "naive_checks_per_s": 300,
    "blackbox_probe_per_s": 1_000,
    "claim_ms": {size: {"p50": 20.0, "p99": 40.0} for size in ("1000", "100000", "1000000")},
    "ingest_rows_per_s": 10_000,
    "lag_p50_s": 0.5,
    "lag_p99_s": 0.9,
}


def unmet(**changed: object) -> list[str]:
    of = figures.goals(figures.ordered(MEASURED | changed))
    return [goal.text for goal in of if goal.is_met is False and "moonshot" not in goal.text]


def test_the_file_has_its_keys_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FILE", tmp_path / "build/bench.json")
    figures.write(figures.ordered(MEASURED))

    written = json.loads((tmp_path / "build/bench.json").read_text())
    assert list(written) == KEYS
    assert (written["bare_cpu_ms_per_check"], written["cpu_ratio"]) == (0.1, 3.0)


def test_a_run_of_some_parts_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FILE", tmp_path / "build/bench.json")

    with pytest.raises(AssertionError):
        figures.write(figures.ordered({"lag_p50_s": 1.0}))


def test_figures_at_the_bounds_meet_the_goals() -> None:
    assert unmet() == []


@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({"pipeline_cpu_ms_per_check": 0.31}, "CPU a check"),
        ({"naive_checks_per_s": 301}, "naive"),
        ({"blackbox_probe_per_s": 1_501}, "blackbox"),
        ({"claim_ms": MEASURED["claim_ms"] | {"1000000": {"p50": 31.0, "p99": 40.0}}}, "claim p50"),
        ({"claim_ms": MEASURED["claim_ms"] | {"1000000": {"p50": 20.0, "p99": 61.0}}}, "claim p99"),
        ({"lag_p99_s": 1.01}, "lag p99"),
    ],
)
def test_a_figure_past_its_bound_misses_its_goal_alone(changed: dict[str, Any], missed: str) -> None:
    (text,) = unmet(**changed)
    assert missed in text


def test_what_is_not_installed_or_was_not_measured_is_no_goal_missed() -> None:
    assert unmet(blackbox_probe_per_s=None) == []
    assert {goal.is_met for goal in figures.goals({})} == {None}
    assert "blackbox_probe_per_s" in figures.table(figures.ordered(MEASURED | {"blackbox_probe_per_s": None}))


@pytest.mark.parametrize(
    ("done", "lag", "is_carried"), [(95, 5.0, True), (94, 5.0, False), (100, 5.1, False)]
)
def test_a_load_is_carried_if_nearly_all_of_it_is_done_in_time(
    done: float, lag: float, is_carried: bool
) -> None:
    assert carries(Window(100, done, 0.3, 0.5, lag, {})) is is_carried


def test_the_cpu_of_a_process_that_works_grows() -> None:
    me = [psutil.Process()]
    before = cpu_seconds(me)
    while cpu_seconds(me) == before:
        sum(range(10_000))
    assert cpu_seconds(me) > before


@pytest.mark.django_db(transaction=True)
def test_loaded_monitors_are_as_the_schedule_would_have_them() -> None:
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    now = timezone.now()
    with psycopg.connect(os.environ["UPQUORUM_DATABASE_URL"], dbname=name, autocommit=True) as database:
        loading.load(database, 20, 60, "http://127.0.0.1:9/")
        loading.schedule(database, 0, 15, unix_ms(now))

    assert Monitor.objects.count() == 20
    since = from_unix_ms(unix_ms(now))
    assert set(MonitorState.objects.filter(scheduled_since=since).values_list("pk", flat=True)) == {
        *range(1, 16)
    }
    assert MonitorState.objects.filter(scheduled_since=None).count() == 5
