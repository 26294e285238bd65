"""The figures of the run under fire, and the clock that it skips with."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from benchmarks.deliveries import clock, report
from benchmarks.deliveries.receivers import KINDS
from benchmarks.deliveries.report import Sent

HEALTHY, FAILS = KINDS[:2]
DELIVERED = Sent(HEALTHY, 10.0, "delivered", 1, [(1, 10.5)])
FAILED = Sent(FAILS, 10.0, "failed", 5, [(number, 11.0) for number in range(1, 6)])


def test_a_third_of_the_receivers_misbehave() -> None:
    assert 3 * sum(kind.share for kind in KINDS if kind is not HEALTHY) == sum(kind.share for kind in KINDS)


def test_what_ends_by_the_rule_meets_every_goal() -> None:
    figures = report.summary([DELIVERED, DELIVERED, FAILED], kills=1)

    assert figures == {
        "events": 3,
        "lost": 0,
        "duplicates": 0,
        "repeated_to_failing": 0,
        "kills": 1,
        "unfinished": 0,
        "healthy_p95_s": 0.5,
    }
    assert report.missed_goals(figures) == []


@pytest.mark.parametrize(
    ("odd", "name"),
    [
        (Sent(HEALTHY, 10.0, "delivered", 1, []), "lost"),
        (Sent(HEALTHY, 10.0, "delivered", 1, [(1, 10.5), (1, 40.5)]), "duplicates"),
        (Sent(FAILS, 10.0, "failed", 5, [*FAILED.came, (5, 40.5)]), "repeated_to_failing"),
        (Sent(HEALTHY, 10.0, "failed", 5, [(1, 10.5)]), "unfinished"),
        (Sent(FAILS, 10.0, "failed", 4, FAILED.came), "unfinished"),
    ],
)
def test_what_does_not_is_counted_once(odd: Sent, name: str) -> None:
    figures = report.summary([DELIVERED, DELIVERED, odd], kills=0)

    counted = ("lost", "duplicates", "repeated_to_failing", "unfinished")
    assert {each: figures[each] for each in counted} == dict.fromkeys(counted, 0) | {name: 1}


def test_a_clock_that_skipped_goes_on_from_there_and_never_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "skipped").write_text("0")
    monkeypatch.setenv(clock.FILE, str(tmp_path / "skipped"))
    later = timezone.now() + timedelta(hours=2)

    clock.skip_to(later)
    clock.skip_to(later - timedelta(hours=1))

    assert timedelta(0) <= clock.now() - later < timedelta(seconds=5)
