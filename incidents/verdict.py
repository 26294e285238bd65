"""Step 10: what the votes of one round say. Pure, and blind to the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    UP = "up"
    DOWN = "down"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Mode:
    """A rule of confirmation: `quorum` equal votes, at most `regions` regions asked at first."""

    name: str
    regions: int
    tries: int
    """How often one region looks; spaced apart, where there is no second region to ask."""
    quorum: int


TWO_OF_THREE = Mode("2-of-3", regions=3, tries=1, quorum=2)
TWO_OF_TWO = Mode("2-of-2", regions=2, tries=1, quorum=2)
THREE_OF_ONE = Mode("3-of-1", regions=1, tries=3, quorum=3)
HEARTBEAT = Mode("heartbeat", regions=0, tries=1, quorum=1)
"""No region is asked: the monitored thing says itself how it is, or is silent for too long."""
SERVERS = Mode("servers", regions=0, tries=1, quorum=0)
"""Not regions but a customer's servers: more than half of those that live; see `incidents.majority`."""
LONE_SERVER = Mode("lone-server", regions=0, tries=3, quorum=0)
"""One server, which has said the same three times in a row."""
REGIONAL = (TWO_OF_THREE, TWO_OF_TWO, THREE_OF_ONE)
MODES = {mode.name: mode for mode in (*REGIONAL, HEARTBEAT, SERVERS, LONE_SERVER)}


def mode_for(live_regions: int) -> Mode:
    """The rule for so many live regions (at least one)."""
    return {1: THREE_OF_ONE, 2: TWO_OF_TWO}.get(live_regions, TWO_OF_THREE)


@dataclass(frozen=True)
class Vote:
    """One vote as the rule sees it: who, which try, and what. An empty outcome is silence."""

    region: str
    attempt: int
    outcome: str


def decide(votes: Iterable[Vote], mode: Mode) -> Verdict | None:
    """The verdict, or None while it is open: a quorum can still be reached by those who are silent.

    Only up and down vote; `missed` and `error` abstain. Silence is never a vote. A region counts
    once for each try, so a duplicate changes nothing.
    """
    by_voter = {(vote.region, vote.attempt): vote.outcome for vote in votes}
    outcomes = list(by_voter.values())
    ups, downs, silent = (outcomes.count(outcome) for outcome in ("up", "down", ""))
    if downs >= mode.quorum:
        return Verdict.DOWN
    if ups >= mode.quorum:
        return Verdict.UP
    return None if max(ups, downs) + silent >= mode.quorum else Verdict.INCONCLUSIVE
