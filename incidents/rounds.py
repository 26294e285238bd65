"""Rounds: whom to ask, until when, and whom instead of the silent. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from incidents.case import Ballot, Round
from incidents.verdict import Mode, Verdict, decide, mode_for
from monitors.timing import VOTE_TRANSPORT
from probes.instants import from_unix_ms
from probes.messages import ProbeResult

SUSPECTED = timedelta(milliseconds=1)
"""So much before its round a probe that is suspected counts as asked."""
TRY_SPACING = timedelta(seconds=2)
"""Between the tries of a region that is alone: a hiccup must not count three times."""


def round_on(dissent: ProbeResult, alive: Sequence[str], timeout: timedelta, now: datetime) -> Round:
    """A round on a scheduled probe, which asks other regions at once.

    A `dissent` is its first vote. Of a probe that is only slow the vote is still awaited, and it is not
    asked again: it was asked before the round opened.
    """
    others = _others(dissent.region, alive)
    mode = mode_for(len(others) + 1)
    asked_at = now - SUSPECTED if dissent.outcome == "slow" else now
    vote = None if dissent.outcome == "slow" else dissent
    first = Ballot(region=dissent.region, ask_at=asked_at, asked_at=asked_at, result=vote)
    asked = [Ballot(region=region, ask_at=now) for region in others[: mode.regions - 1]]
    round_ = _round(mode, from_unix_ms(dissent.scheduled_at_ms), timeout, now)
    return replace(round_, ballots=(first, *asked, *_later_tries(mode, dissent.region, now)))


def first_round(alive: Sequence[str], timeout: timedelta, now: datetime) -> Round:
    """The round for first knowledge of a monitor: of `alive`, at least one, as many as its mode asks."""
    mode = mode_for(len(alive))
    asked = [Ballot(region=region, ask_at=now) for region in alive[: mode.regions]]
    return replace(_round(mode, now, timeout, now), ballots=(*asked, *_later_tries(mode, alive[0], now)))


def with_answer(round_: Round, result: ProbeResult) -> Round | None:
    """The round with the answer to one of its questions; None: it did not ask, or was answered before."""
    for place, ballot in enumerate(round_.ballots):
        if (ballot.region, ballot.attempt) == (result.region, result.attempt):
            if ballot.result is not None:
                return None
            answered = replace(ballot, result=result)
            return replace(round_, ballots=(*round_.ballots[:place], answered, *round_.ballots[place + 1 :]))
    return None


def with_questions_asked(round_: Round, now: datetime) -> Round:
    """The round with every question asked whose time has come."""
    return replace(
        round_,
        ballots=tuple(
            replace(ballot, asked_at=now) if ballot.asked_at is None and ballot.ask_at <= now else ballot
            for ballot in round_.ballots
        ),
    )


def new_questions(before: Round | None, after: Round) -> list[Ballot]:
    """The questions to send: asked now for the first time, and by the round itself."""
    asked = {(each.region, each.attempt) for each in before.ballots if each.asked_at} if before else set()
    return [
        ballot
        for ballot in after.ballots
        if ballot.asked_at is not None
        and ballot.asked_at >= after.opened_at
        and ballot.result is None
        and (ballot.region, ballot.attempt) not in asked
    ]


def with_replacement(round_: Round, alive: Sequence[str], timeout: timedelta, now: datetime) -> Round | None:
    """The round with one more region asked; None: it was extended before, or there is no other region."""
    asked = {ballot.region for ballot in round_.ballots}
    spare = [region for region in alive if region not in asked]
    if round_.extended or not spare:
        return None
    return replace(
        round_,
        extended=True,
        deadline_at=now + timeout + VOTE_TRANSPORT,
        ballots=(*round_.ballots, Ballot(region=spare[0], ask_at=now)),
    )


def verdict_of(round_: Round, now: datetime) -> Verdict | None:
    """The verdict by the votes so far; None: it is open. From the deadline on, silence abstains."""
    is_over = round_.deadline_at <= now
    votes = [ballot.vote for ballot in round_.ballots if ballot.outcome or not is_over]
    return decide(votes, round_.mode)


def _round(mode: Mode, scheduled_at: datetime, timeout: timedelta, now: datetime) -> Round:
    last_ask = (mode.tries - 1) * TRY_SPACING
    deadline_at = now + last_ask + timeout + VOTE_TRANSPORT
    return Round(scheduled_at=scheduled_at, mode=mode, opened_at=now, deadline_at=deadline_at)


def _later_tries(mode: Mode, region: str, now: datetime) -> list[Ballot]:
    """The tries after the first one, for a mode in which one region has several."""
    return [
        Ballot(region=region, attempt=attempt, ask_at=now + (attempt - 1) * TRY_SPACING)
        for attempt in range(2, mode.tries + 1)
    ]


def _others(region: str, alive: Sequence[str]) -> list[str]:
    """The live regions but `region`, from the one after it on: so each is asked as often as the others."""
    start = alive.index(region) + 1 if region in alive else 0
    return [other for other in [*alive[start:], *alive[:start]] if other != region]
