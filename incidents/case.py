"""What is known of one monitor when something comes in: plain values, so that deciding can be pure.

`records` loads a case from the database and saves the decision on it; the simulation keeps cases in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from incidents.verdict import Mode, Verdict, Vote
from monitors.status import Status
from probes.messages import ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """What one region is asked in a round, and what it answered; no `result`: it is silent."""

    region: str
    attempt: int = 1
    ask_at: datetime
    """At once, but for the spaced tries of a region that is alone."""
    asked_at: datetime | None = None
    result: ProbeResult | None = None

    @property
    def outcome(self) -> str:
        """up, down, missed or error; empty for silence."""
        return self.result.outcome if self.result else ""

    @property
    def vote(self) -> Vote:
        """The ballot as the rule of the verdict sees it."""
        return Vote(self.region, self.attempt, self.outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The confirmation of one check, open until it has a verdict."""

    id: int | None = None
    scheduled_at: datetime
    mode: Mode
    opened_at: datetime
    deadline_at: datetime
    extended: bool = False
    """A silent region was already replaced, once."""
    ballots: tuple[Ballot, ...] = ()
    verdict: Verdict | None = None
    closed_at: datetime | None = None
    regional: tuple[str, ...] = ()
    """The regions that failed alone, as the verdict left it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalFailure:
    """A failure seen by fewer regions than the quorum: part of the state for as long as it lasts."""

    region: str
    since: datetime
    seen_at: datetime
    """When the region last saw it fail; only a later look can end it."""
    error_class: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """A scheduled probe that took so long that others were asked: its answer is still to come."""

    slot: datetime
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One monitor: how it is watched, what is believed of it, and the round that is open."""

    enabled: bool = True
    config_version: int = 1
    timeout: timedelta
    configured_interval: timedelta
    interval: timedelta
    """The interval in force: stretched while the monitor has long been down."""
    status: Status
    since: datetime
    sequence: int = 0
    confirmation_count: int = 1
    """So many checks in a row must each be confirmed as failed before the monitor is down."""
    consecutive_fails: int = 0
    scheduled_since: datetime | None = None
    """Since when regions look at its slots; None while they do not."""
    extra_check_at: datetime | None = None
    """A check that is due before the next slot."""
    last_scheduled_at: datetime | None = None
    last_check_at: datetime | None = None
    flapping_since: datetime | None = None
    calm_since: datetime | None = None
    """When flapping last ended; earlier changes count no more."""
    changes: tuple[datetime, ...] = ()
    """The changes between up and down of the last hour, oldest first."""
    failures: tuple[RegionalFailure, ...] = ()
    awaited: Awaited | None = None
    round: Round | None = None


class IncidentType(StrEnum):
    DOWN = "down"
    FLAPPING = "flapping"


class Resolution(StrEnum):
    """Why an incident ended."""

    RECOVERED = "recovered"
    STABLE = "stable"
    """Of flapping: the state has stopped changing."""
    PAUSED = "paused"
    """The monitor was disabled while it lasted."""


@dataclass(frozen=True, slots=True)
class OpenIncident:
    type: IncidentType
    reason: str


@dataclass(frozen=True, slots=True)
class ResolveIncident:
    type: IncidentType
    resolution: Resolution


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell the receivers; `region` where the event is of one region alone."""

    event: str
    reason: str = ""
    region: str = ""
    occasion: str = ""
    """What tells this event from others of the same sequence number; empty for that of a transition."""


Effect = OpenIncident | ResolveIncident | Publish


@dataclass(frozen=True, slots=True)
class Decision:
    """The case as it is to be, and what else must be in the same commit."""

    case: Case
    effects: tuple[Effect, ...] = field(default=())
