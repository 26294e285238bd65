"""Windows of phases: each monitor's latest slot of a span, once, and the earlier slots first."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.windows import Window, claimed_until, windows

intervals = st.integers(1, 86_400).map(lambda seconds: seconds * 1000)
instants = st.integers(1_500_000_000_000, 4_000_000_000_000)


def slots_in(found: list[Window]) -> list[tuple[int, int]]:
    return [
        (phase, window.cycle_ms + phase) for window in found for phase in range(window.first, window.last + 1)
    ]


def latest(interval: int, phase: int, after: int, until: int) -> list[int]:
    return [slot for slot in range(after + 1, until + 1) if slot % interval == phase][-1:]


@pytest.mark.parametrize("interval", range(1, 8))
def test_each_phase_has_its_latest_slot_and_the_earlier_ones_come_first(interval: int) -> None:
    for after, until in product(range(20, 45), repeat=2):
        found = slots_in(windows(interval, after, until))
        expected = {phase: latest(interval, phase, after, until) for phase in range(interval)}
        assert {phase: [slot] for phase, slot in found} == {k: v for k, v in expected.items() if v}
        assert [slot for _, slot in found] == sorted({slot for _, slot in found})
        assert len(windows(interval, after, until)) <= 2


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [
        (100, 100, []),
        (101, 100, []),
        (100, 101, [Window(1, 1, 100)]),
        (99, 105, [Window(0, 5, 100)]),
        (104, 109, [Window(5, 9, 100)]),
        (107, 112, [Window(8, 9, 100), Window(0, 2, 110)]),
        (99, 109, [Window(0, 9, 100)]),
        (102, 112, [Window(3, 9, 100), Window(0, 2, 110)]),
        (13, 112, [Window(3, 9, 100), Window(0, 2, 110)]),
    ],
)
def test_a_span_is_one_range_of_phases_or_two(after: int, until: int, expected: list[Window]) -> None:
    assert windows(10, after, until) == expected


@given(intervals, instants, st.integers(0, 200_000_000))
def test_spans_that_follow_each_other_hold_each_slot_once(interval: int, after: int, length: int) -> None:
    middle = after + length // 3
    for until in (after + length, after + interval):
        sizes = [
            sum(window.last - window.first + 1 for window in windows(interval, *span))
            for span in ((after, middle), (middle, until))
        ]
        assert sizes == [min(interval, max(0, middle - after)), min(interval, max(0, until - middle))]


@given(intervals, instants, st.integers(1, 200_000_000))
def test_phases_are_of_the_interval_and_slots_of_the_span(interval: int, after: int, length: int) -> None:
    for first, last, cycle in windows(interval, after, after + length):
        assert 0 <= first <= last < interval
        assert after < cycle + first
        assert cycle + last <= after + length
        assert cycle % interval == 0


@pytest.mark.parametrize(
    ("slots", "limit", "expected"),
    [
        ([], 1, 99),
        ([5], 2, 99),
        ([5, 6], 2, 6),
        ([5, 6, 7], 2, 6),
        ([5, 6, 6, 6], 2, 6),
        ([5, 5, 5], 1, 5),
        ([99, 99], 2, 99),
    ],
)
def test_all_is_claimed_up_to_now_or_to_where_the_limit_was_reached(
    slots: list[int], limit: int, expected: int
) -> None:
    assert claimed_until(slots, limit, 99) == expected
