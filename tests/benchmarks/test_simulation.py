"""The simulation: its worlds replay, the rules hold in them, and rules that are broken do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.simulation import scenario
from benchmarks.simulation.__main__ import run
from benchmarks.simulation.world import World
from incidents import deciding, flapping, rounds, verdict
from incidents.case import Round
from incidents.verdict import Verdict

SEEDS = range(1, 121)


def breaches() -> list[str]:
    return [sentence for seed in SEEDS for sentence in run(seed)[0]]


def test_the_rules_hold_in_every_world() -> None:
    assert breaches() == []


def test_a_world_replays_to_the_letter() -> None:
    lines: list[list[str]] = [[], []]
    for log in lines:
        World(scenario.make(11), log.append).run()
    assert lines[0] == lines[1]
    assert len(lines[0]) > 10


def test_the_worlds_hold_all_kinds_of_trouble() -> None:
    worlds = [scenario.make(seed) for seed in SEEDS]
    assert {len(world.regions) for world in worlds} == {1, 2, 3, 4, 5}
    for kind in ("dead", "sick", "blind"):
        assert any(getattr(region, kind) for world in worlds for region in world.regions)
    assert any(world.loss for world in worlds)
    assert any(world.crashes for world in worlds)


def test_one_vote_for_an_outage_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = replace(verdict.TWO_OF_THREE, quorum=1)
    monkeypatch.setattr(rounds, "mode_for", lambda live: hasty if live >= 3 else verdict.mode_for(live))
    assert any("down without an outage" in sentence for sentence in breaches())


def test_deadlines_that_never_end_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = lambda round_, now: verdict.decide([each.vote for each in round_.ballots], round_.mode)  # noqa: E731
    monkeypatch.setattr(deciding, "verdict_of", patient)
    assert any("and believed" in sentence for sentence in breaches())


def test_an_incident_that_does_not_end_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flapping, "_ended", tuple)
    assert any("down" in sentence and "open" in sentence for sentence in breaches())


def test_silence_that_votes_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def impatient(round_: Round, now: object) -> Verdict:
        return Verdict.DOWN

    monkeypatch.setattr(deciding, "verdict_of", impatient)
    assert any("votes of" in sentence for sentence in breaches())
