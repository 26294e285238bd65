"""The verdict: exhaustive over every set of votes, blind to order, never flipped by a late vote."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import pytest

from incidents.verdict import (
    MODES,
    THREE_OF_ONE,
    TWO_OF_THREE,
    TWO_OF_TWO,
    Mode,
    Verdict,
    Vote,
    decide,
    mode_for,
)

OUTCOMES = ("up", "down", "missed", "error", "")


def ballots(outcomes: Sequence[str], mode: Mode) -> list[Vote]:
    """One ballot an outcome: of as many regions, or of as many tries of the one region."""
    if mode is THREE_OF_ONE:
        return [Vote("eu", attempt, outcome) for attempt, outcome in enumerate(outcomes, 1)]
    return [Vote(f"r{number}", 1, outcome) for number, outcome in enumerate(outcomes)]


def expected(outcomes: Sequence[str], quorum: int) -> Verdict | None:
    """The rule in words: a quorum of equals decides; else it is open while silence could still make one."""
    ups, downs, silent = outcomes.count("up"), outcomes.count("down"), outcomes.count("")
    if ups >= quorum or downs >= quorum:
        return Verdict.DOWN if downs >= quorum else Verdict.UP
    could_still = ups + silent >= quorum or downs + silent >= quorum
    return None if could_still else Verdict.INCONCLUSIVE


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES.keys())
@pytest.mark.parametrize("count", range(1, 6))
def test_every_set_of_votes_gives_what_the_rule_says(mode: Mode, count: int) -> None:
    for outcomes in product(OUTCOMES, repeat=count):
        votes = ballots(outcomes, mode)
        if outcomes.count("up") >= mode.quorum and outcomes.count("down") >= mode.quorum:
            continue  # needs more votes than a round of this mode ever asks for
        assert decide(votes, mode) == expected(outcomes, mode.quorum), outcomes


def test_the_order_of_the_votes_never_matters() -> None:
    for outcomes in product(OUTCOMES, repeat=4):
        votes = ballots(outcomes, TWO_OF_THREE)
        assert len({decide(order, TWO_OF_THREE) for order in permutations(votes)}) == 1


def test_a_decided_verdict_is_not_flipped_by_the_votes_that_were_missing() -> None:
    for outcomes in product(OUTCOMES, repeat=3):
        first = decide(ballots(outcomes, TWO_OF_THREE), TWO_OF_THREE)
        if first is None:
            continue
        for late in product(OUTCOMES[:4], repeat=outcomes.count("")):
            answers = iter(late)
            complete = [outcome or next(answers) for outcome in outcomes]
            assert decide(ballots(complete, TWO_OF_THREE), TWO_OF_THREE) == first


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES.keys())
def test_silence_is_never_a_vote_for_down(mode: Mode) -> None:
    for outcomes in product(("down", "missed", "error", ""), repeat=3):
        if outcomes.count("down") < mode.quorum:
            assert decide(ballots(outcomes, mode), mode) is not Verdict.DOWN


def test_a_region_counts_once_however_often_it_is_heard() -> None:
    twice = [Vote("eu", 1, "down"), Vote("eu", 1, "down"), Vote("us", 1, "")]
    assert decide(twice, TWO_OF_THREE) is None


def test_the_mode_follows_the_live_regions() -> None:
    assert [mode_for(count) for count in (1, 2, 3, 4, 9)] == [
        THREE_OF_ONE,
        TWO_OF_TWO,
        TWO_OF_THREE,
        TWO_OF_THREE,
        TWO_OF_THREE,
    ]
