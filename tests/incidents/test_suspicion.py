"""A probe that takes long: others are asked at once, and its own answer is heeded whenever it comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from incidents.case import Awaited, Case, Publish
from incidents.deciding import go_on, heed
from incidents.rounds import new_questions
from tests.incidents.cases import ROUND_ID, answer, case, opened
from tests.make import NOW, REGIONS, seconds

SLOW = answer("slow")
LATER = NOW + seconds(9)


def suspected() -> Case:
    """eu is slow; us and ap are asked."""
    current, round_ = opened(heed(case(), SLOW, REGIONS, NOW))
    assert [ballot.region for ballot in new_questions(None, round_)] == ["us", "ap"]
    assert current.awaited == Awaited(NOW, "eu")
    return current


def vote(current: Case, outcome: str, region: str) -> Case:
    return heed(current, answer(outcome, region, round_id=ROUND_ID), REGIONS, NOW + seconds(1)).case


def closed(current: Case) -> Case:
    """As it is loaded again once its round is closed."""
    assert current.round
    assert current.round.verdict
    return replace(current, round=None)


def test_slowness_is_no_vote() -> None:
    current = vote(suspected(), "down", "us")
    assert (current.status, current.round and current.round.verdict) == ("up", None)


@pytest.mark.parametrize("region", ["us", "ap"])
def test_its_own_answer_is_a_vote(region: str) -> None:
    current = heed(vote(suspected(), "down", region), answer("down"), REGIONS, LATER).case
    assert (current.status, current.awaited) == ("down", None)


def test_the_others_decide_without_it() -> None:
    current = vote(vote(suspected(), "down", "us"), "down", "ap")
    assert current.status == "down"
    assert current.last_scheduled_at == NOW


def test_votes_that_a_machine_held_up_for_seconds_still_decide() -> None:
    """The probes of a target that hangs end with their timeout; a stall comes on top of that."""
    current = suspected()
    assert go_on(current, REGIONS, NOW + current.timeout + seconds(4)).case == current
    late = NOW + current.timeout + seconds(4.5)
    for region in ("us", "ap"):
        current = heed(current, answer("down", region, round_id=ROUND_ID), REGIONS, late).case
    assert current.status == "down"


def test_when_it_was_only_slow_nothing_happened() -> None:
    current = closed(vote(vote(suspected(), "up", "us"), "up", "ap"))
    decision = heed(current, answer("up"), REGIONS, LATER)
    assert (decision.case.status, decision.case.failures, decision.case.awaited) == ("up", (), None)
    assert decision.effects == ()


def test_when_it_fails_after_the_others_saw_it_up_it_is_a_regional_failure() -> None:
    current = closed(vote(vote(suspected(), "up", "us"), "up", "ap"))
    decision = heed(current, answer("down"), REGIONS, LATER)
    assert [(failure.region, failure.since) for failure in decision.case.failures] == [("eu", LATER)]
    assert [effect.event for effect in decision.effects if isinstance(effect, Publish)] == [
        "monitor.regional"
    ]
    again = heed(decision.case, answer("down"), REGIONS, LATER)
    assert again.case == decision.case


def test_what_is_known_to_be_down_is_not_suspected() -> None:
    down = case("down")
    assert heed(down, SLOW, REGIONS, NOW).case == down


def test_a_suspicion_that_comes_after_its_answer_is_nothing() -> None:
    answered = heed(case(), answer("up"), REGIONS, NOW).case
    assert heed(answered, SLOW, REGIONS, NOW).case == answered


def test_a_suspicion_twice_opens_one_round() -> None:
    current = suspected()
    assert heed(current, SLOW, REGIONS, NOW).case == current
    decided = closed(vote(vote(current, "up", "us"), "up", "ap"))
    assert heed(decided, SLOW, REGIONS, NOW).case == decided


def test_a_region_that_is_alone_tries_again_meanwhile() -> None:
    current, round_ = opened(heed(case(), SLOW, ["eu"], NOW))
    assert new_questions(None, round_) == []
    assert [(ballot.attempt, ballot.ask_at - NOW) for ballot in round_.ballots[1:]] == [
        (2, seconds(2)),
        (3, seconds(4)),
    ]
    assert heed(current, answer("down"), ["eu"], LATER).case.status == "up"
