"""Down only after as many failed checks in a row as asked for, each of them confirmed by a quorum."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.case import Case, OpenIncident, RegionalFailure, Round
from incidents.deciding import heed, pronounce
from incidents.verdict import TWO_OF_THREE, Verdict
from monitors.status import Status
from tests.incidents.cases import answer, case, confirm
from tests.make import NOW, REGIONS, seconds


def closed(verdict: Verdict) -> Round:
    return Round(
        scheduled_at=NOW,
        mode=TWO_OF_THREE,
        opened_at=NOW,
        deadline_at=NOW,
        verdict=verdict,
        closed_at=NOW,
    )


def failed(current: Case, minute: int) -> Case:
    return confirm(current, "down", NOW + seconds(60 * minute)).case


@pytest.mark.parametrize("status", ["up", "unknown"])
def test_the_state_changes_with_the_last_of_the_failures_asked_for(status: str) -> None:
    first = confirm(case(status, confirmation_count=2), "down")
    assert (first.case.status, first.case.consecutive_fails, first.effects) == (status, 1, ())
    second = confirm(first.case, "down", NOW + seconds(60))
    assert (second.case.status, second.case.consecutive_fails) == ("down", 2)
    assert [type(effect) for effect in second.effects if isinstance(effect, OpenIncident)] == [OpenIncident]


def test_one_is_enough_unless_more_are_asked_for() -> None:
    assert failed(case(), 0).status == "down"


def test_a_scheduled_look_that_is_up_begins_the_count_anew() -> None:
    once = failed(case(confirmation_count=2), 0)
    at = NOW + seconds(60)
    well = heed(once, answer("up", at=at), REGIONS, at).case
    assert well.consecutive_fails == 0
    assert failed(well, 2).status == "up"


def test_an_older_look_that_is_up_does_not() -> None:
    once = failed(case(confirmation_count=2), 1)
    assert heed(once, answer("up", at=NOW), REGIONS, NOW + seconds(61)).case.consecutive_fails == 1


def test_a_round_that_says_up_begins_the_count_anew() -> None:
    once = failed(case(confirmation_count=2), 0)
    well = confirm(once, "down", NOW + seconds(60), ("up", "up")).case
    assert (well.status, well.consecutive_fails) == ("up", 0)


def test_an_inconclusive_round_is_passed_over() -> None:
    once = failed(case(confirmation_count=2), 0)
    unsure = confirm(once, "down", NOW + seconds(60), ("missed", "error")).case
    assert (unsure.status, unsure.consecutive_fails) == ("up", 1)
    assert failed(unsure, 2).status == "down"


def test_what_all_see_is_not_regional_while_it_is_held_back() -> None:
    known = RegionalFailure(region="ap", since=NOW, seen_at=NOW, error_class="refused")
    once = confirm(case(confirmation_count=2, failures=(known,)), "down")
    assert (once.case.failures, once.effects) == ((known,), ())


@given(st.lists(st.sampled_from(Verdict), max_size=12), st.integers(1, 4))
def test_down_is_never_said_before_so_many_failures_in_a_row(verdicts: list[Verdict], asked: int) -> None:
    current, in_a_row = case(confirmation_count=asked), 0
    for minute, verdict in enumerate(verdicts):
        before, at = current.status, NOW + seconds(60 * minute)
        current = replace(pronounce(current, closed(verdict), at).case, round=None)
        if verdict is not Verdict.INCONCLUSIVE:
            in_a_row = in_a_row + 1 if verdict is Verdict.DOWN else 0
        assert current.consecutive_fails == in_a_row
        if before is Status.UP:
            assert (current.status is Status.DOWN) == (in_a_row >= asked)
