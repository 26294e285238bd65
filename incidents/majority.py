"""The verdict of a customer's own servers: by majority of those that live. Pure.

An agent looks on its own, and its latest look stands as its vote until the next one: there is nobody to
ask, so there is no round to wait for. What is concluded has a round all the same, closed as it opens: the
receipt, with the looks that decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from incidents.case import Ballot, Case, Decision, Round
from incidents.deciding import pronounce
from incidents.verdict import LONE_SERVER, SERVERS, Verdict
from monitors.status import Status
from probes.instants import from_unix_ms
from probes.messages import ProbeResult

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a live server makes of a monitor now; no `result`: it is silent, or what it saw is too old."""

    region: str
    result: ProbeResult | None = None
    streak: int = 0
    """So many looks in a row had this outcome."""

    @property
    def outcome(self) -> str:
        """up, down, missed or error; empty for silence."""
        return self.result.outcome if self.result else ""


def decide_by_majority(sights: Sequence[Sight]) -> Verdict:
    """What more than half of the live servers say. One that is alone must have said it three times."""
    outcomes = [sight.outcome for sight in sights]
    if len(sights) == 1 and sights[0].streak < LONE_SERVER.tries:
        return Verdict.INCONCLUSIVE
    for verdict in (Verdict.DOWN, Verdict.UP):
        if outcomes.count(verdict) * 2 > len(outcomes):
            return verdict
    return Verdict.INCONCLUSIVE


def conclude(case: Case, sights: Sequence[Sight], now: datetime) -> Decision:
    """What the servers' looks change in the case: its state, or which of them fail alone; mostly nothing."""
    verdict = decide_by_majority(sights)
    is_lone_and_unsure = len(sights) <= 1 and verdict is Verdict.INCONCLUSIVE
    if not case.enabled or is_lone_and_unsure:
        return Decision(case)
    if verdict is Verdict.DOWN:
        if case.status is Status.DOWN:
            return Decision(case)
        slot = check_of(sights, case.interval)
        if case.confirmation_count > 1 and case.last_scheduled_at and slot <= case.last_scheduled_at:
            return Decision(case)  # of this check it is counted
        case = replace(case, last_scheduled_at=slot)
    decision = pronounce(case, _receipt(sights, verdict, now), now)
    return decision if _is_news(case, decision.case) else Decision(case)


def check_of(sights: Sequence[Sight], interval: timedelta) -> datetime:
    """The beginning of the interval that the newest look lies in: many looks of it are one check."""
    newest = max(from_unix_ms(sight.result.scheduled_at_ms) for sight in sights if sight.result)
    return newest - (newest - EPOCH) % interval


def _receipt(sights: Sequence[Sight], verdict: Verdict, now: datetime) -> Round:
    ballots = [_ballot(sight, now) for sight in sights]
    return Round(
        scheduled_at=now,
        mode=LONE_SERVER if len(sights) == 1 else SERVERS,
        opened_at=now,
        deadline_at=now,
        ballots=tuple(ballots),
        verdict=verdict,
        closed_at=now,
    )


def _ballot(sight: Sight, now: datetime) -> Ballot:
    """The look as a vote. Nobody asked for it, so it is as if asked when it began."""
    asked_at = from_unix_ms(sight.result.started_at_ms) if sight.result else None
    return Ballot(region=sight.region, ask_at=asked_at or now, asked_at=asked_at, result=sight.result)


def _is_news(before: Case, after: Case) -> bool:
    """Whether there is anything to give a receipt for: not another look of a server that fails already."""
    return (before.sequence, before.consecutive_fails, _failing(before)) != (
        after.sequence,
        after.consecutive_fails,
        _failing(after),
    )


def _failing(case: Case) -> set[str]:
    return {failure.region for failure in case.failures}
