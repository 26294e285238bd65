"""The interval of what is long down grows stepwise to five minutes, and never shrinks a longer one."""

from __future__ import annotations

import pytest

from monitors.backoff import stretch_intervals
from monitors.models import MonitorState
from tests.make import NOW, monitor, seconds

pytestmark = pytest.mark.django_db


def interval_after(minutes: float, configured: int, status: str = "down") -> int:
    made = monitor(status=status, interval_seconds=configured)
    MonitorState.objects.filter(pk=made.pk).update(status_since=NOW - seconds(minutes * 60))
    stretch_intervals(NOW)
    return MonitorState.objects.get(pk=made.pk).interval_seconds


@pytest.mark.parametrize(
    ("minutes", "seconds_in_force"),
    [(0, 20), (9.99, 20), (10, 60), (15, 120), (20, 180), (25, 240), (30, 300), (10_000, 300)],
)
def test_it_grows_with_the_downtime(minutes: float, seconds_in_force: int) -> None:
    assert interval_after(minutes, 20) == seconds_in_force


@pytest.mark.parametrize(("minutes", "configured"), [(12, 90), (60, 300), (60, 3_600)])
def test_a_longer_one_stays(minutes: float, configured: int) -> None:
    assert interval_after(minutes, configured) == configured


@pytest.mark.parametrize("status", ["up", "unknown"])
def test_only_downtime_counts(status: str) -> None:
    assert interval_after(60, 20, status) == 20
