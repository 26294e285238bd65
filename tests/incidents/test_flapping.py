"""Flapping: begins with the eleventh change within an hour, is one event, and ends when calm returns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from incidents.case import (
    Case,
    Effect,
    IncidentType,
    OpenIncident,
    Publish,
    Resolution,
    ResolveIncident,
)
from incidents.flapping import CALM, MOST_CHANGES, calm_down
from monitors.status import Status
from tests.incidents.cases import case, confirm
from tests.make import NOW, seconds

OTHER = {"up": "down", "down": "up"}


def change(current: Case, at: float) -> tuple[Case, tuple[Effect, ...]]:
    """The next confirmed change, at `at` seconds after NOW."""
    outcome = OTHER[current.status]
    decision = confirm(current, outcome, NOW + seconds(at), (outcome, outcome))
    assert decision.case.status == outcome
    return decision.case, decision.effects


def flap(count: int, every: float = 60, start: Case | None = None) -> tuple[Case, list[tuple[Effect, ...]]]:
    current, told = start or case(), []
    for number in range(count):
        current, effects = change(current, number * every)
        told.append(effects)
    return current, told


def events(told: list[tuple[Effect, ...]]) -> list[str]:
    return [effect.event for effects in told for effect in effects if isinstance(effect, Publish)]


def test_ten_changes_within_an_hour_are_each_news() -> None:
    current, told = flap(MOST_CHANGES)
    assert events(told) == ["monitor.down", "monitor.up"] * 5
    assert current.flapping_since is None


def test_the_eleventh_begins_flapping_with_one_incident_and_one_event() -> None:
    current, told = flap(MOST_CHANGES + 1)
    why = "11 transitions within an hour"
    assert told[-1] == (OpenIncident(IncidentType.FLAPPING, why), Publish("monitor.flapping", why))
    assert current.flapping_since == current.since == NOW + seconds(600)


def test_when_it_begins_with_a_recovery_the_outage_is_over() -> None:
    _, told = flap(MOST_CHANGES + 1, start=case("down"))
    assert told[-1][0] == ResolveIncident(IncidentType.DOWN, Resolution.RECOVERED)
    assert events(told)[-1] == "monitor.flapping"


def test_while_it_lasts_changes_are_counted_and_nobody_is_told() -> None:
    current, told = flap(MOST_CHANGES + 9)
    assert told[MOST_CHANGES + 1 :] == [()] * 8
    assert current.sequence == MOST_CHANGES + 9


def test_eleven_changes_over_more_than_an_hour_are_none() -> None:
    current, told = flap(30, every=361)
    assert current.flapping_since is None
    assert len(events(told)) == 30


def test_first_knowledge_is_no_change() -> None:
    first = confirm(case("unknown"), "up", NOW - seconds(1), ("up", "up")).case
    current, _ = flap(MOST_CHANGES, start=first)
    assert current.flapping_since is None


@pytest.mark.parametrize(("count", "settled"), [(11, "down"), (12, "up")])
def test_it_ends_when_the_state_was_calm_and_says_once_what_it_settled_on(count: int, settled: str) -> None:
    current, _ = flap(count)
    end = current.since + CALM
    assert calm_down(current, "refused", end - seconds(0.001)).case == current
    decision = calm_down(current, "refused", end)
    stable = ResolveIncident(IncidentType.FLAPPING, Resolution.STABLE)
    reason = "refused" if settled == "down" else ""
    told = Publish(f"monitor.{settled}", reason, occasion="settled")
    opened = (OpenIncident(IncidentType.DOWN, "refused"),) if settled == "down" else ()
    assert decision.effects == (stable, *opened, told)
    assert decision.case.status is Status(settled)
    assert calm_down(decision.case, "refused", end).effects == ()


def test_after_its_end_counting_begins_anew() -> None:
    current, _ = flap(MOST_CHANGES + 2)
    calm = calm_down(current, "", current.since + CALM).case
    offset = (calm.calm_since - NOW).total_seconds() + 1 if calm.calm_since else 0
    for number in range(MOST_CHANGES):
        calm, effects = change(calm, offset + number)
        assert len([effect for effect in effects if isinstance(effect, Publish)]) == 1
    assert calm.flapping_since is None


def test_changes_before_the_last_calm_count_no_more_even_when_loaded_again() -> None:
    many = tuple(NOW - seconds(number) for number in range(30, 10, -1))
    current = case(changes=many, calm_since=NOW - seconds(5))
    after, _ = change(replace(current), 0)
    assert after.changes == (NOW,)
    assert after.flapping_since is None
