"""Incidents and the receipts of verdicts in the native format."""

from __future__ import annotations

from typing import Any

from api.dialects.native.evidence import kept_evidence_body
from incidents.models import Incident, Round, Transition, Vote
from probes.instants import rfc3339


def incident_body(incident: Incident) -> dict[str, Any]:
    """An incident; `resolved_at` is absent while it lasts."""
    body = {
        "id": incident.pk,
        "monitor_id": incident.monitor_id,
        "account_id": incident.account_id,
        "type": incident.type,
        "reason": incident.reason,
        "confirmation": {
            "mode": incident.mode,
            "regions": sorted({result["region"] for result in incident.evidence}),
        },
        "started_at": rfc3339(incident.started_at),
        "evidence": [kept_evidence_body(result) for result in incident.evidence],
        "created_at": rfc3339(incident.created_at),
    }
    if incident.resolved_at is None:
        return body
    return body | {"resolved_at": rfc3339(incident.resolved_at), "resolution": incident.resolution}


def round_body(round_: Round) -> dict[str, Any]:
    """The receipt of a verdict: who was asked, what each answered, and what followed.

    `votes` and `transitions` are prefetched by the caller.
    """
    return {
        "id": round_.pk,
        "monitor_id": round_.monitor_id,
        "scheduled_at": rfc3339(round_.scheduled_at),
        "opened_at": rfc3339(round_.opened_at),
        "closed_at": rfc3339(round_.closed_at) if round_.closed_at else None,
        "mode": round_.mode,
        "verdict": round_.verdict or None,
        "votes": [_vote_body(vote) for vote in round_.votes.all()],
        "transition": next((_transition_body(each) for each in round_.transitions.all()), None),
        "regional_failures": [region.upper() for region in round_.regional],
    }


def _vote_body(vote: Vote) -> dict[str, Any]:
    body = {
        "region": vote.region.upper(),
        "attempt": vote.attempt,
        "asked_at": rfc3339(vote.asked_at) if vote.asked_at else None,
        "outcome": vote.outcome or None,
    }
    return body | (kept_evidence_body(vote.evidence) if vote.evidence else {})


def _transition_body(transition: Transition) -> dict[str, Any]:
    return {
        "sequence": transition.sequence,
        "from": transition.from_status,
        "to": transition.to_status,
    }
