"""Steps 12 and 13: a transition, its incident and its event, in the transaction of the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from incidents.events import publish_transition
from incidents.models import Incident, Round, Transition, Vote
from incidents.transitions import Change
from monitors.models import MonitorState, Status


def change_state(
    state: MonitorState, change: Change, round_: Round, deciding: Sequence[Vote], now: datetime
) -> Transition:
    """Move the state by `change`, with its incident and its event. The caller holds the row lock."""
    transition = _move(state, change.to, round_, now)
    reason = common_reason(deciding)
    if change.opens:
        open_incident(state, reason, round_, deciding, now)
    if change.resolves:
        resolve_incident(state.pk, Incident.Type.DOWN, now)
    if change.event:
        regions = sorted({vote.region for vote in deciding})
        publish_transition(
            transition, state.monitor, change.event, reason=reason, mode=round_.mode, regions=regions, now=now
        )
    return transition


def open_incident(
    state: MonitorState, reason: str, round_: Round, deciding: Sequence[Vote], now: datetime
) -> Incident:
    """Open a `down` incident; the database forbids a second open one."""
    return Incident.objects.create(
        account_id=state.monitor.account_id,
        monitor=state.monitor,
        type=Incident.Type.DOWN,
        reason=reason,
        mode=round_.mode,
        started_at=now,
        evidence=[vote.evidence for vote in deciding],
        created_at=now,
    )


def resolve_incident(monitor_id: int, type_: Incident.Type, now: datetime) -> None:
    """End the monitor's open incident of this type, if there is one."""
    Incident.objects.filter(monitor_id=monitor_id, type=type_, resolved_at=None).update(resolved_at=now)


def common_reason(votes: Sequence[Vote]) -> str:
    """The error class that most of `votes` gave, of equals the first; empty where none failed."""
    classes = Counter(vote.evidence.get("error_class", "") for vote in votes if vote.evidence)
    return classes.most_common(1)[0][0] if classes else ""


def _move(state: MonitorState, to: Status, round_: Round, now: datetime) -> Transition:
    transition = Transition.objects.create(
        monitor=state.monitor,
        sequence=state.sequence + 1,
        from_status=state.status,
        to_status=to,
        round=round_,
        at=now,
    )
    state.status, state.status_since, state.sequence = to, now, transition.sequence
    state.save(update_fields=["status", "status_since", "sequence"])
    return transition
