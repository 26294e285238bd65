"""Between the database and a case: loaded under the monitor's row lock, saved in the decision's commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec
from django.db import transaction

from accounts import tally
from incidents import models
from incidents.case import Awaited, Ballot, Case, Decision, RegionalFailure, Round
from incidents.deciding import common_reason
from incidents.flapping import WINDOW
from incidents.rounds import new_questions
from incidents.services import carry_out
from incidents.verdict import MODES, Verdict
from monitors.dispatch import send
from monitors.models import MonitorState
from monitors.models import RegionalFailure as FailureRow
from monitors.status import Status
from monitors.targets import TARGETS
from probes.instants import unix_ms
from probes.messages import Batch, ProbeRequest, ProbeResult, pack_result

SAME_NAME = (
    *("sequence", "config_version", "scheduled_since", "extra_check_at", "last_scheduled_at"),
    *("last_check_at", "flapping_since", "calm_since", "consecutive_fails"),
)
"""The fields that a case and its row call the same."""
ANSWERED = ("asked_at", "outcome", "evidence")
"""What changes of a vote: it is asked, and answered."""


@dataclass(frozen=True, slots=True)
class Record:
    """A monitor's locked row, and the case as it was loaded."""

    state: MonitorState
    case: Case


def lock(monitor_id: int, now: datetime) -> Record | None:
    """Lock a monitor's state, the first lock that anything takes, and load its case; None: it is gone.

    The monitor is read by a statement of its own: joined, it would be as it was before the wait for the lock.
    """
    state = MonitorState.objects.select_for_update().filter(pk=monitor_id).first()
    return Record(state, load(state, now)) if state else None


def load(state: MonitorState, now: datetime) -> Case:
    """The case of a monitor whose row the caller has locked."""
    return Case(
        **{name: getattr(state, name) for name in SAME_NAME},
        enabled=state.monitor.enabled,
        confirmation_count=state.monitor.confirmation_count,
        timeout=timedelta(milliseconds=state.monitor.timeout_ms),
        configured_interval=timedelta(seconds=state.monitor.interval_seconds),
        interval=timedelta(seconds=state.interval_seconds),
        status=Status(state.status),
        since=state.status_since,
        changes=_changes(state, now),
        failures=tuple(_failure(row) for row in state.regional_failures.order_by("region")),
        awaited=Awaited(state.awaited_slot, state.awaited_region) if state.awaited_slot else None,
        round=_open_round(state.pk),
    )


def save(record: Record, decision: Decision, now: datetime) -> None:
    """Write what the decision changed, with its consequences; its questions go out when that is committed."""
    old, new = record.case, decision.case
    _save_state(record.state, new)
    round_ = _save_round(record.state, old.round, new.round)
    if new.failures != old.failures:
        _save_failures(record.state, new.failures)
    if round_ and new.round and new.sequence != old.sequence:
        _save_transition(old, new, new.round, round_, now)
    for effect in decision.effects:
        carry_out(effect, record.state, now)


def keep_late_answer(result: ProbeResult) -> None:
    """Keep, for the receipt, the answer to a question of a round that is closed."""
    votes = models.Vote.objects.filter(
        round=result.round_id or 0, round__monitor=result.monitor_id, outcome=""
    )
    votes.filter(region=result.region, attempt=result.attempt).update(
        outcome=result.outcome, evidence=pack_result(result)
    )


def _changes(state: MonitorState, now: datetime) -> tuple[datetime, ...]:
    rows = models.Transition.objects.filter(monitor=state.pk, at__gt=now - WINDOW)
    settled = rows.exclude(from_status=Status.UNKNOWN).order_by("sequence")
    return tuple(settled.values_list("at", flat=True))


def _failure(row: FailureRow) -> RegionalFailure:
    return RegionalFailure(
        region=row.region, since=row.since, seen_at=row.seen_at, error_class=row.error_class
    )


def _open_round(monitor_id: int) -> Round | None:
    row = models.Round.objects.filter(monitor=monitor_id, closed_at=None).first()
    if row is None:
        return None
    return Round(
        id=row.pk,
        scheduled_at=row.scheduled_at,
        mode=MODES[row.mode],
        opened_at=row.opened_at,
        deadline_at=row.deadline_at,
        extended=row.extended,
        ballots=tuple(_ballot(vote) for vote in row.votes.order_by("pk")),
    )


def _ballot(vote: models.Vote) -> Ballot:
    return Ballot(
        region=vote.region,
        attempt=vote.attempt,
        ask_at=vote.ask_at,
        asked_at=vote.asked_at,
        result=msgspec.convert(vote.evidence, ProbeResult) if vote.evidence else None,
    )


def _save_state(state: MonitorState, case: Case) -> None:
    for name in SAME_NAME:
        setattr(state, name, getattr(case, name))
    state.status, state.status_since = case.status, case.since
    state.interval_seconds = round(case.interval.total_seconds())
    state.awaited_slot = case.awaited.slot if case.awaited else None
    state.awaited_region = case.awaited.region if case.awaited else ""
    state.save()


def _save_round(state: MonitorState, old: Round | None, new: Round | None) -> models.Round | None:
    if new is None or new == old:
        return None
    values = {
        "deadline_at": new.deadline_at,
        "extended": new.extended,
        "regional": list(new.regional),
        "verdict": new.verdict or "",
        "closed_at": new.closed_at,
    }
    if new.id is not None:
        row = models.Round(pk=new.id, monitor=state.monitor, mode=new.mode.name, **values)
        row.save(update_fields=list(values))
    else:
        row = models.Round.objects.create(
            monitor=state.monitor,
            scheduled_at=new.scheduled_at,
            config_version=state.config_version,
            mode=new.mode.name,
            opened_at=new.opened_at,
            **values,
        )
    _save_ballots(row, new, old.ballots if old else ())
    if new.verdict:
        transaction.on_commit(partial(tally.add, {("rounds", new.verdict): 1}))
    if new.closed_at is None:
        for ballot in new_questions(old, new):
            question = _question(state, row.pk, new, ballot)
            transaction.on_commit(partial(send, question))
    return row


def _save_ballots(row: models.Round, round_: Round, before: tuple[Ballot, ...]) -> None:
    """Write the ballots that are new in one statement, and each that changed: an answer changes one."""
    known = {(ballot.region, ballot.attempt) for ballot in before}
    votes = [_vote(row, ballot) for ballot in round_.ballots if ballot not in before]
    models.Vote.objects.bulk_create(vote for vote in votes if (vote.region, vote.attempt) not in known)
    for vote in votes:
        if (vote.region, vote.attempt) in known:
            stored = models.Vote.objects.filter(round=row, region=vote.region, attempt=vote.attempt)
            stored.update(**{name: getattr(vote, name) for name in ANSWERED})


def _vote(row: models.Round, ballot: Ballot) -> models.Vote:
    return models.Vote(
        round=row,
        region=ballot.region,
        attempt=ballot.attempt,
        ask_at=ballot.ask_at,
        asked_at=ballot.asked_at,
        outcome=ballot.outcome,
        evidence=pack_result(ballot.result) if ballot.result else None,
    )


def _save_failures(state: MonitorState, failures: tuple[RegionalFailure, ...]) -> None:
    state.regional_failures.all().delete()
    FailureRow.objects.bulk_create(
        FailureRow(
            state=state,
            region=failure.region,
            since=failure.since,
            seen_at=failure.seen_at,
            error_class=failure.error_class,
        )
        for failure in failures
    )


def _save_transition(old: Case, new: Case, closed: Round, row: models.Round, now: datetime) -> None:
    models.Transition.objects.create(
        monitor=row.monitor,
        sequence=new.sequence,
        from_status=old.status,
        to_status=new.status,
        reason=common_reason(closed) if closed.verdict is Verdict.DOWN else "",
        round=row,
        at=now,
    )


def _question(state: MonitorState, round_id: int, round_: Round, ballot: Ballot) -> Batch:
    monitor = state.monitor
    request = ProbeRequest(
        monitor_id=monitor.pk,
        config_version=state.config_version,
        scheduled_at_ms=unix_ms(round_.scheduled_at),
        round_id=round_id,
        attempt=ballot.attempt,
        target=TARGETS[monitor.type](monitor.url, monitor.options),
        timeout_ms=monitor.timeout_ms,
        latency_warn_ms=monitor.options.get("latency_warn_ms"),
        start_by_ms=unix_ms(round_.deadline_at),
    )
    ends_ms = unix_ms(round_.deadline_at)
    return Batch(region=ballot.region, urgent=True, expires_at_ms=ends_ms, requests=[request])
