"""What counts as told, as late and as false."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.scoring import (
    DOWN,
    FLAPPING,
    MOST_NEWS,
    UP,
    Arrival,
    Cause,
    Score,
    score,
    score_flapping,
)

OUTAGE = [Cause(DOWN, 10.0), Cause(UP, 20.0)]


def arrivals(*events: tuple[str, float]) -> list[Arrival]:
    return [Arrival(event, at) for event, at in events]


def test_an_outage_told_once_with_its_end_is_true_and_its_delay_that_of_down() -> None:
    told = arrivals((DOWN, 12.5), (UP, 21.0))
    assert score(OUTAGE, told) == Score(events=2, false_events=0, expected=2, untold=0, delays=(2.5,))


@pytest.mark.parametrize(
    ("told", "false_events", "untold"),
    [
        ([], 0, 2),
        ([(DOWN, 12.0)], 0, 1),
        ([(DOWN, 9.0)], 1, 2),
        ([(DOWN, 12.0), (DOWN, 13.0), (UP, 21.0)], 1, 0),
        ([(DOWN, 12.0), (UP, 15.0)], 1, 1),
        ([(DOWN, 12.0), (UP, 21.0), (DOWN, 30.0), (UP, 31.0)], 2, 0),
        ([(UP, 21.0)], 1, 2),
    ],
    ids=["nothing", "no end", "before the fault", "twice", "end too soon", "after the end", "end alone"],
)
def test_what_is_untold_and_what_is_false(
    told: list[tuple[str, float]], false_events: int, untold: int
) -> None:
    judged = score(OUTAGE, arrivals(*told))
    assert (judged.false_events, judged.untold) == (false_events, untold)


def test_anything_told_of_a_healthy_monitor_is_false() -> None:
    assert score([], arrivals((DOWN, 1.0))) == Score(1, 1, expected=0, untold=0, delays=())
    assert score([], []) == Score(0, 0, expected=0, untold=0, delays=())


@pytest.mark.parametrize(
    ("before", "flapping", "after", "false_events", "untold"),
    [
        (MOST_NEWS, 1, 0, 0, 0),
        (MOST_NEWS - 1, 1, 0, 0, 0),
        (MOST_NEWS, 0, 0, 0, 1),
        (MOST_NEWS + 6, 0, 0, 6, 1),
        (MOST_NEWS, 1, 2, 2, 0),
        (MOST_NEWS, 2, 0, 1, 0),
    ],
)
def test_flapping_is_told_once_after_few_changes_and_then_nothing(
    before: int, flapping: int, after: int, false_events: int, untold: int
) -> None:
    told = [*[(DOWN, 0.0), (UP, 0.0)] * before][:before] + [(FLAPPING, 0.0)] * flapping + [(UP, 0.0)] * after
    judged = score_flapping([], arrivals(*told))
    assert (judged.false_events, judged.untold) == (false_events, untold)
