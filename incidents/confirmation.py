"""Step 9: one dissenting or answering result, settled in one transaction under the monitor's row lock.

Steps 9 to 13 are one commit: the vote, the verdict, the transition, its incident and its deliveries.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from incidents.models import Round, Vote
from incidents.rounds import open_round, record_answer, replace_silent, send_questions
from incidents.services import change_state
from incidents.transitions import apply_verdict
from incidents.verdict import MODES, Ballot, Verdict, decide
from monitors.models import MonitorState, Status
from probes.instants import from_unix_ms
from probes.messages import ProbeResult

SOON = timedelta(seconds=10)
"""After an inconclusive round the next check comes within this time, however long the interval."""


@transaction.atomic
def settle(result: ProbeResult, now: datetime) -> None:
    """Let `result` open a round, or count it as a vote of its round. Twice is as good as once."""
    state = lock_state(result.monitor_id)
    if state is None or state.next_check_at is None or state.config_version != result.config_version:
        return
    if result.round_id is None:
        _settle_dissent(state, result, now)
    else:
        _settle_vote(state, result, now)


@transaction.atomic
def settle_overdue(monitor_id: int, now: datetime) -> None:
    """End the monitor's open round where its deadline has passed: silence abstains."""
    state = lock_state(monitor_id)
    round_ = open_round_of(monitor_id)
    if state and round_ and round_.deadline_at <= now:
        _conclude(state, round_, now, silence_over=True)


@transaction.atomic
def ask_again(monitor_id: int, now: datetime) -> None:
    """Send the tries of the monitor's open round whose time has come."""
    state = lock_state(monitor_id)
    round_ = open_round_of(monitor_id)
    if state and round_:
        due = round_.votes.filter(asked_at=None, ask_at__lte=now)
        send_questions(round_, state.monitor, list(due), now)


def lock_state(monitor_id: int) -> MonitorState | None:
    """The monitor's state under its row lock, the first lock that anything here takes; None: it is gone."""
    states = MonitorState.objects.select_for_update(of=("self",)).select_related("monitor")
    return states.filter(pk=monitor_id).first()


def open_round_of(monitor_id: int) -> Round | None:
    """The monitor's open round; the database forbids a second."""
    return Round.objects.filter(monitor_id=monitor_id, closed_at=None).first()


def cancel_round(monitor_id: int, now: datetime) -> None:
    """Forget the open round of a monitor that was disabled or changed: its votes are of another target."""
    open_ = Round.objects.filter(monitor_id=monitor_id, closed_at=None)
    open_.update(verdict=Verdict.INCONCLUSIVE, closed_at=now)


def _settle_dissent(state: MonitorState, result: ProbeResult, now: datetime) -> None:
    """A result that disagreed with the state when it was stored; a newer slot's answer outranks it."""
    slot = from_unix_ms(result.scheduled_at_ms)
    if state.last_scheduled_at is not None and slot <= state.last_scheduled_at:
        return
    state.last_scheduled_at = slot
    state.last_check_at = from_unix_ms(result.started_at_ms)
    state.save(update_fields=["last_scheduled_at", "last_check_at"])
    if state.status != result.outcome and open_round_of(state.pk) is None:
        _conclude(state, open_round(state, result, now), now)


def _settle_vote(state: MonitorState, result: ProbeResult, now: datetime) -> None:
    """An answer of the round that asked for it. A late one is kept for the receipt and changes nothing."""
    vote = Vote.objects.select_related("round").filter(
        round=result.round_id, round__monitor_id=state.pk, region=result.region, attempt=result.attempt
    )
    answered = vote.first()
    if answered is None or answered.outcome:
        return
    record_answer(answered, result)
    if answered.round.closed_at is None:
        _note_check(state, result)
        _conclude(state, answered.round, now)


def _note_check(state: MonitorState, result: ProbeResult) -> None:
    started_at = from_unix_ms(result.started_at_ms)
    if result.outcome in ("up", "down") and (state.last_check_at is None or started_at > state.last_check_at):
        state.last_check_at = started_at
        state.save(update_fields=["last_check_at"])


def _conclude(state: MonitorState, round_: Round, now: datetime, *, silence_over: bool = False) -> None:
    """Close the round if its votes decide it, and change the state if the verdict does."""
    votes = list(round_.votes.order_by("pk"))
    ballots = [Ballot(vote.region, vote.attempt, vote.outcome) for vote in votes]
    if silence_over:
        ballots = [ballot for ballot in ballots if ballot.outcome]
    verdict = decide(ballots, MODES[round_.mode])
    if verdict is None:
        return
    if verdict is Verdict.INCONCLUSIVE and replace_silent(round_, state.monitor, now):
        return
    round_.verdict, round_.closed_at = verdict, now
    round_.save(update_fields=["verdict", "closed_at"])
    _follow(state, round_, votes, verdict, now)


def _follow(state: MonitorState, round_: Round, votes: list[Vote], verdict: Verdict, now: datetime) -> None:
    if verdict is Verdict.INCONCLUSIVE:
        _check_soon(state, now)
    elif change := apply_verdict(Status(state.status), verdict):
        deciding = [vote for vote in votes if vote.outcome == verdict]
        change_state(state, change, round_, deciding, now)


def _check_soon(state: MonitorState, now: datetime) -> None:
    if state.next_check_at is not None and state.next_check_at > now + SOON:
        state.next_check_at = now + SOON
        state.save(update_fields=["next_check_at"])
