"""The timeline of an incident: what was seen, decided and told while it lasted, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q

from incidents.models import Incident, Round, Transition, Vote
from probes.instants import from_unix_ms
from staff import show
from webhooks.models import Attempt, Delivery, Event

MOST = 100
"""Rounds and events that are shown; an incident of weeks may have more."""


@dataclass(frozen=True)
class Entry:
    at: datetime
    what: object
    detail: object


def timeline(incident: Incident, now: datetime) -> list[Entry]:
    """Oldest first, from the round that began it to its resolution."""
    until = incident.resolved_at or now
    entries = [*_decided(incident, until), *_told(incident, until)]
    if incident.resolved_at:
        entries.append(Entry(incident.resolved_at, "incident resolved", show.badge(incident.resolution)))
    return sorted(entries, key=lambda entry: entry.at)


def _decided(incident: Incident, until: datetime) -> Iterator[Entry]:
    span = (incident.started_at, until)
    transitions = Transition.objects.filter(monitor=incident.monitor_id, at__range=span)
    mine = Q(opened_at__range=span) | Q(pk__in=transitions.values("round"))
    rounds = Round.objects.filter(mine, monitor=incident.monitor_id).order_by("opened_at")[:MOST]
    for round_ in rounds.prefetch_related(Prefetch("votes", Vote.objects.order_by("pk"))):
        yield Entry(round_.opened_at, show.link(round_, f"round {round_.pk} opened"), round_.mode)
        yield from (_vote(vote) for vote in round_.votes.all() if vote.evidence)
        if round_.closed_at:
            yield Entry(round_.closed_at, f"round {round_.pk} decided", show.badge(round_.verdict))
    for row in transitions.order_by("sequence")[:MOST]:
        change = f"{row.from_status} → {row.to_status}"
        yield Entry(row.at, show.link(row, f"transition {row.sequence}"), f"{change} {row.reason}")


def _vote(vote: Vote) -> Entry:
    seen: Any = vote.evidence
    ended = from_unix_ms(seen["started_at_ms"] + round(seen["total_ms"]))
    facts = [seen.get("error_class"), seen.get("status_code"), seen.get("address"), seen.get("error")]
    detail = " · ".join(str(each) for each in (*facts, f"{seen['total_ms']:.1f} ms") if each)
    return Entry(ended, f"{vote.region} says {vote.outcome}", detail)


def _told(incident: Incident, until: datetime) -> Iterator[Entry]:
    events = Event.objects.filter(
        subject_id=incident.monitor_id, occurred_at__range=(incident.started_at, until)
    )
    attempts = Prefetch("attempts", Attempt.objects.order_by("number"))
    deliveries = Prefetch("deliveries", Delivery.objects.prefetch_related(attempts))
    for event in events.order_by("occurred_at", "pk").prefetch_related(deliveries)[:MOST]:
        yield Entry(event.occurred_at, show.link(event, f"event {event.type}"), event.key)
        for delivery in event.deliveries.all():
            for attempt in delivery.attempts.all():
                yield _attempt(delivery, attempt)


def _attempt(delivery: Delivery, attempt: Attempt) -> Entry:
    what = show.link(delivery, f"delivery {delivery.pk}, attempt {attempt.number}")
    answer = attempt.status_code or attempt.error_class
    return Entry(attempt.started_at, what, f"{answer} after {attempt.duration_ms} ms")
