"""The rows of `make chaos`: what counts as lost, doubled and false; and its faults."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.scoring import DOWN, UP, Arrival, Cause
from benchmarks.chaos.faults import registry
from benchmarks.chaos.scoring import Row, Told, judge, total

WAS_DOWN, WAS_UP = Cause(DOWN, 10), Cause(UP, 20)


@pytest.mark.parametrize(
    ("causes", "arrivals", "told"),
    [
        ([], [], Told(0, 0, 0)),
        ([WAS_DOWN, WAS_UP], [Arrival(DOWN, 11), Arrival(UP, 21)], Told(0, 0, 0)),
        ([WAS_DOWN, WAS_UP], [Arrival(DOWN, 11)], Told(1, 0, 0)),
        ([WAS_DOWN], [Arrival(DOWN, 11), Arrival(DOWN, 12)], Told(0, 1, 0)),
        ([WAS_DOWN, WAS_UP], [Arrival(DOWN, 11), Arrival(DOWN, 12), Arrival(UP, 21)], Told(0, 1, 0)),
        ([], [Arrival(DOWN, 5)], Told(0, 0, 1)),
        ([WAS_DOWN], [Arrival(DOWN, 9), Arrival(UP, 9.5), Arrival(DOWN, 11)], Told(0, 0, 2)),
        ([WAS_DOWN, WAS_UP], [Arrival(DOWN, 11), Arrival(UP, 15)], Told(1, 0, 1)),
    ],
)
def test_events_are_matched_with_their_causes(
    causes: list[Cause], arrivals: list[Arrival], told: Told
) -> None:
    assert judge(causes, arrivals) == told


def test_monitors_are_added_up() -> None:
    assert total([Told(1, 2, 3), Told(4, 5, 6)]) == Told(5, 7, 9)
    assert total([]) == Told(0, 0, 0)


@pytest.mark.parametrize(
    ("change", "is_met"),
    [
        ({}, True),
        ({"lost": 1}, False),
        ({"duplicated": 1}, False),
        ({"false": 1}, False),
        ({"deliveries_lost": 1}, False),
        ({"recovery_s": 15.0}, True),
        ({"recovery_s": 15.1}, False),
    ],
)
def test_a_row_is_met_when_nothing_was_lost_and_checks_soon_ran(
    change: dict[str, float], is_met: bool
) -> None:
    figures = {"lost": 0, "duplicated": 0, "false": 0, "deliveries_lost": 0, "recovery_s": 1.0} | change
    assert Row("fault", **figures).is_met is is_met  # type: ignore[arg-type]


def test_what_could_not_be_done_is_not_judged() -> None:
    row = Row("fault", note="needs root")
    assert row.is_met
    assert row.as_json["lost"] is None


def test_no_two_faults_share_a_name() -> None:
    faults = [fault.name for fault in registry(200)]
    assert len(set(faults)) == len(faults)
