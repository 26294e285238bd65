"""The table of the history's benchmark, its goals, and what it loads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.history import load, report
from benchmarks.history.report import Figures, Latency
from monitors.hours import HOUR
from monitors.models import Evidence, Monitor, RegionHour, WatchedPeriod
from monitors.rollups import evidence_rolled_up_until
from tests.make import account

QUICK = Latency(p50_ms=5.0, p95_ms=99.9, max_ms=300.0, bytes=100)
MET = Figures(loaded={}, rollup_hour_s=1.5, endpoints={"results": QUICK, "uptime": QUICK}, rows_scanned=0)


def test_the_goal_is_the_95th_percentile_of_every_endpoint() -> None:
    assert report.missed_goals(MET) == []
    slow = replace(MET, endpoints={"results": QUICK, "uptime": replace(QUICK, p95_ms=100.0)})
    assert report.missed_goals(slow) == ["p95 of uptime under 100 ms"]


def test_a_query_without_an_index_is_no_good_however_quick() -> None:
    assert report.missed_goals(replace(MET, rows_scanned=1)) == ["no row of history is read without an index"]


def test_the_table_has_a_row_an_endpoint() -> None:
    rows = report.table(MET).splitlines()
    assert [row.split()[0] for row in rows[1:3]] == ["results", "uptime"]
    assert len({len(row) for row in rows[:3]}) == 1


@pytest.mark.django_db
def test_what_is_loaded_is_what_the_system_would_have() -> None:
    account()
    asked = load.load(load.Size(monitors=4, days=1, raw_days=0, asked=2, asked_days=1))
    assert (len(asked), Monitor.objects.count(), WatchedPeriod.objects.count()) == (2, 4, 4)
    assert evidence_rolled_up_until() == RegionHour.objects.latest("hour").hour + HOUR
    assert RegionHour.objects.count() == 4 * 24 * 3
    assert Evidence.objects.filter(monitor_id=asked[0]).count() == 24 * 60
    assert Evidence.objects.count() == 2 * 24 * 60
