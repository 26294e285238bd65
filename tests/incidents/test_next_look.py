"""When regions look next: soon after a round without a verdict, and on the grid of the interval in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from incidents.case import Case
from incidents.deciding import SOON, go_on, heed
from tests.incidents.cases import answer, case, confirm, opened
from tests.make import NOW, REGIONS, seconds

HOUR: dict[str, Any] = {"configured_interval": seconds(3_600), "interval": seconds(3_600)}


def after_silence(start: Case) -> tuple[Case, datetime]:
    """The case once its round has ended without an answer, and when that was."""
    current, round_ = opened(heed(start, answer("down"), REGIONS, NOW))
    ended = go_on(current, REGIONS, round_.deadline_at).case
    assert ended.round
    assert ended.round.verdict == "inconclusive"
    return ended, round_.deadline_at


@pytest.mark.parametrize(
    ("fields", "soon"),
    [
        (HOUR, True),
        ({"interval": SOON + seconds(1)}, True),
        ({"interval": SOON}, False),
        ({"interval": seconds(1)}, False),
        ({**HOUR, "scheduled_since": None}, False),
    ],
    ids=["every hour", "just longer", "just as soon", "sooner", "not of regions"],
)
def test_without_a_verdict_the_next_look_is_soon(fields: dict[str, Any], soon: bool) -> None:
    ended, at = after_silence(case(**fields))
    assert ended.extra_check_at == (at + SOON if soon else None)


@pytest.mark.parametrize("asked_for", [NOW + seconds(1), NOW + seconds(3_000)])
def test_a_look_that_is_asked_for_sooner_stays(asked_for: datetime) -> None:
    ended, at = after_silence(case(**HOUR, extra_check_at=asked_for))
    assert ended.extra_check_at == min(asked_for, at + SOON)


def test_a_verdict_asks_for_no_look_of_its_own() -> None:
    assert confirm(case(**HOUR), "down").case.extra_check_at is None


def test_a_stretched_interval_ends_with_its_grid_and_one_in_force_stays() -> None:
    since = NOW - seconds(3_600)
    stretched = confirm(case("down", interval=seconds(300)), "up", others=("up", "up")).case
    assert (stretched.status, stretched.interval, stretched.scheduled_since) == ("up", seconds(60), NOW)
    assert confirm(case(), "down").case.scheduled_since == since
    of_agents = case("down", interval=seconds(300), scheduled_since=None)
    assert confirm(of_agents, "up", others=("up", "up")).case.scheduled_since is None
