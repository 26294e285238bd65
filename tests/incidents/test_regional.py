"""Regional failures: what one region sees alone is shown while it lasts, and alerts nobody unasked."""

from __future__ import annotations

import pytest

from incidents.case import Case, Publish, RegionalFailure
from incidents.deciding import heed
from tests.incidents.cases import answer, case, confirm
from tests.make import NOW, REGIONS, seconds

FAILS = RegionalFailure(region="eu", since=NOW, seen_at=NOW, error_class="refused")


def began(region: str = "eu") -> Publish:
    return Publish("monitor.regional", "refused", region, f"{region}:{int(NOW.timestamp() * 1000)}:began")


def ended(region: str = "eu") -> Publish:
    return Publish("monitor.regional", "", region, f"{region}:{int(NOW.timestamp() * 1000)}:ended")


def failing() -> Case:
    return case(failures=(FAILS,), last_scheduled_at=NOW)


def test_a_region_that_fails_alone_is_part_of_the_state() -> None:
    decision = confirm(case(), "down", others=("up", "up"))
    assert (decision.case.status, decision.case.failures) == ("up", (FAILS,))
    assert decision.effects == (began(),)


def test_it_is_the_confirming_region_as_well_when_that_fails_alone() -> None:
    decision = confirm(case("down"), "up", others=("down", "up"))
    assert decision.case.status == "up"
    assert [failure.region for failure in decision.case.failures] == ["us"]


@pytest.mark.parametrize("others", [("error", "missed"), ("error", "up"), ("missed", "error")])
def test_it_is_shown_also_when_the_others_could_not_say(others: tuple[str, str]) -> None:
    assert confirm(case(), "down", others=others).case.failures == (FAILS,)


def test_seen_again_it_goes_on_from_when_it_began() -> None:
    later = NOW + seconds(180)
    decision = confirm(failing(), "down", later, ("up", "up"))
    assert decision.case.failures == (
        RegionalFailure(region="eu", since=NOW, seen_at=later, error_class="refused"),
    )
    assert decision.effects == ()


def test_a_scheduled_look_from_there_that_is_up_ends_it() -> None:
    decision = heed(failing(), answer("up", "eu", NOW + seconds(180)), REGIONS, NOW + seconds(180))
    assert (decision.case.failures, decision.effects) == ((), (ended(),))


@pytest.mark.parametrize("at", [0, -60])
def test_a_look_that_is_no_newer_does_not(at: float) -> None:
    decision = heed(failing(), answer("up", "eu", NOW + seconds(at)), REGIONS, NOW)
    assert (decision.case.failures, decision.effects) == ((FAILS,), ())


def test_another_regions_look_does_not() -> None:
    decision = heed(failing(), answer("up", "us", NOW + seconds(60)), REGIONS, NOW + seconds(60))
    assert decision.case.failures == (FAILS,)


def test_a_vote_from_there_that_is_up_ends_it() -> None:
    current = case(failures=(RegionalFailure(region="us", since=NOW, seen_at=NOW, error_class="refused"),))
    decision = confirm(current, "down", NOW + seconds(60), ("up", "up"))
    assert [failure.region for failure in decision.case.failures] == ["eu"]
    assert ended("us") in decision.effects


def test_an_outage_for_all_is_not_regional() -> None:
    decision = confirm(failing(), "down", NOW + seconds(60))
    assert (decision.case.status, decision.case.failures) == ("down", ())


def test_while_it_is_down_for_all_no_region_is_named() -> None:
    decision = confirm(case("down"), "up", others=("down", "down"))
    assert (decision.case.status, decision.case.failures) == ("down", ())
