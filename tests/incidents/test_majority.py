"""The verdict of servers: more than half of those that live, and one that is alone three times in a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.case import Case, Decision, Publish
from incidents.majority import Sight, conclude, decide_by_majority
from monitors.status import Status
from tests.incidents.cases import answer, case
from tests.make import NOW, seconds


def sights(*outcomes: str, at: datetime = NOW, streak: int = 1) -> list[Sight]:
    """What each of the live servers last saw; empty for those that are silent."""
    return [
        Sight(
            region=f"server-{number}",
            result=answer(outcome, f"server-{number}", at) if outcome else None,
            streak=streak if outcome else 0,
        )
        for number, outcome in enumerate(outcomes, 1)
    ]


def events(decision: Decision) -> list[tuple[str, str]]:
    return [(each.event, each.region) for each in decision.effects if isinstance(each, Publish)]


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([], "inconclusive"),
        (["down", "down"], "down"),
        (["down", "up"], "inconclusive"),
        (["up", ""], "inconclusive"),
        (["down", ""], "inconclusive"),
        (["down", "down", "up"], "down"),
        (["down", "down", ""], "down"),
        (["up", "up", "down"], "up"),
        (["down", "", ""], "inconclusive"),
        (["down", "error", "missed"], "inconclusive"),
        (["down", "down", "up", "up"], "inconclusive"),
        (["down", "down", "down", "up"], "down"),
    ],
)
def test_more_than_half_of_the_living_decide(outcomes: list[str], verdict: str) -> None:
    assert decide_by_majority(sights(*outcomes)) == verdict


@pytest.mark.parametrize("outcome", ["up", "down"])
def test_one_that_is_alone_says_it_three_times(outcome: str) -> None:
    said = [decide_by_majority(sights(outcome, streak=streak)) for streak in (1, 2, 3, 4)]
    assert said == ["inconclusive", "inconclusive", outcome, outcome]


outcomes_of = st.lists(st.sampled_from(["up", "down", "missed", "error", ""]), max_size=7)


@given(outcomes_of, st.integers(1, 4), st.randoms())
def test_no_silence_votes_and_no_order_matters(outcomes: list[str], streak: int, random: object) -> None:
    seen = sights(*outcomes, streak=streak)
    verdict = decide_by_majority(seen)
    shuffled = list(seen)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide_by_majority(shuffled) == verdict
    if verdict != "inconclusive":
        assert outcomes.count(verdict) * 2 > len(outcomes)
        assert len(outcomes) > 1 or streak >= 3
    if verdict == "inconclusive":
        assert decide_by_majority([*seen, *sights("")]) == "inconclusive"


def test_a_majority_takes_the_monitor_down_with_its_receipt() -> None:
    decision = conclude(case(scheduled_since=None), sights("down", "down", "up"), NOW)
    assert decision.case.status == "down"
    assert events(decision) == [("monitor.down", "")]
    receipt = decision.case.round
    assert receipt
    assert (receipt.mode.name, receipt.verdict, receipt.closed_at) == ("servers", "down", NOW)
    assert [(each.region, each.outcome) for each in receipt.ballots] == [
        *(("server-1", "down"), ("server-2", "down"), ("server-3", "up"))
    ]


def test_the_receipt_says_that_there_was_but_one() -> None:
    decision = conclude(case(), sights("down", streak=3), NOW)
    assert decision.case.round
    assert (decision.case.status, decision.case.round.mode.name) == ("down", "lone-server")


def test_a_minority_is_shown_and_ends_when_it_sees_it_up() -> None:
    alone = conclude(case(), sights("down", "up", "up"), NOW)
    assert (alone.case.status, [each.region for each in alone.case.failures]) == ("up", ["server-1"])
    assert events(alone) == [("monitor.regional", "server-1")]
    current = replace(alone.case, round=None)
    again = conclude(current, sights("down", "up", "up", at=NOW + seconds(60)), NOW + seconds(60))
    assert again == Decision(current)
    well = conclude(current, sights("up", "up", "up"), NOW + seconds(60))
    assert (well.case.failures, events(well)) == ((), [("monitor.regional", "server-1")])


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        ("up", sights("up", "up", "up")),
        ("up", []),
        ("up", sights("down")),
        ("up", sights("down", streak=2)),
        ("unknown", sights("up", streak=2)),
        ("down", sights("down", "down", "up")),
        ("down", sights("up", "down")),
        ("down", sights("up", "")),
    ],
)
def test_what_is_no_news_has_no_receipt(status: str, seen: list[Sight]) -> None:
    assert conclude(case(status), seen, NOW) == Decision(case(status))


def test_a_paused_monitor_stays_as_it_is() -> None:
    paused = case(enabled=False)
    assert conclude(paused, sights("down", "down"), NOW) == Decision(paused)


def test_first_knowledge_is_no_news_but_has_a_receipt() -> None:
    decision = conclude(case("unknown"), sights("up", "up"), NOW)
    assert (decision.case.status, decision.effects) == ("up", ())
    assert decision.case.round


def looked(current: Case, at: datetime, *outcomes: str) -> Case:
    return replace(conclude(current, sights(*outcomes, at=at), at).case, round=None)


def test_failures_in_a_row_are_counted_once_an_interval() -> None:
    current, start = case(confirmation_count=2), NOW.replace(second=5)
    current = looked(current, start, "down", "down", "down")
    current = looked(current, start + seconds(20), "down", "down", "down")
    assert (current.status, current.consecutive_fails) == (Status.UP, 1)
    current = looked(current, start + seconds(60), "down", "down", "down")
    assert (current.status, current.consecutive_fails) == (Status.DOWN, 2)


def test_a_majority_that_sees_it_up_begins_the_count_anew() -> None:
    current = looked(case(confirmation_count=2), NOW, "down", "down", "up")
    current = looked(current, NOW + seconds(60), "up", "up", "down")
    assert current.consecutive_fails == 0
    assert looked(current, NOW + seconds(120), "down", "down", "up").status == "up"
