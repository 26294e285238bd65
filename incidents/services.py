"""Steps 12 and 13: incidents and events, in the transaction of the decision that they follow from."""

from __future__ import annotations

from datetime import datetime

from incidents.case import Effect, IncidentType, OpenIncident, Resolution, ResolveIncident
from incidents.events import publish_event
from incidents.models import Incident, Transition
from monitors.models import MonitorState


def carry_out(effect: Effect, state: MonitorState, now: datetime) -> None:
    """Do what a decision asks for. The caller holds the state's row lock, and has saved its transition."""
    if isinstance(effect, OpenIncident):
        open_incident(state, effect.type, effect.reason, now)
    elif isinstance(effect, ResolveIncident):
        resolve_incident(state.pk, effect.type, effect.resolution, now)
    else:
        publish_event(effect, state, latest_transition(state.pk), now)


def open_incident(state: MonitorState, type_: IncidentType, reason: str, now: datetime) -> Incident:
    """Open an incident with the votes that made the newest transition; no type can be open twice."""
    transition = latest_transition(state.pk)
    deciding = transition.deciding_votes() if transition else []
    return Incident.objects.create(
        account_id=state.monitor.account_id,
        monitor=state.monitor,
        type=type_,
        reason=reason,
        mode=transition.round.mode if transition else "",
        started_at=now,
        evidence=[vote.evidence for vote in deciding],
        created_at=now,
    )


def resolve_incident(monitor_id: int, type_: IncidentType, resolution: Resolution, now: datetime) -> None:
    """End the monitor's open incident of this type, if there is one."""
    open_ = Incident.objects.filter(monitor_id=monitor_id, type=type_, resolved_at=None)
    open_.update(resolved_at=now, resolution=resolution)


def latest_transition(monitor_id: int) -> Transition | None:
    """The monitor's newest transition, with its round."""
    rows = Transition.objects.filter(monitor_id=monitor_id).select_related("round")
    return rows.order_by("-sequence").first()
