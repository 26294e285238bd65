"""What the receivers of webhooks are told: the payloads, and their publication through the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from incidents.models import Transition
from monitors.models import Monitor
from probes.instants import rfc3339
from webhooks.outbox import publish


def publish_transition(
    transition: Transition,
    monitor: Monitor,
    event: str,
    *,
    reason: str,
    mode: str,
    regions: Sequence[str],
    now: datetime,
) -> None:
    """Write the event of a transition, once, in the transition's own transaction."""
    payload: dict[str, Any] = {
        "event": event,
        "monitor_id": monitor.pk,
        "monitor_name": monitor.name,
        "monitor_url": monitor.url,
        "account_id": monitor.account_id,
        "occurred_at": rfc3339(transition.at),
        "sequence": transition.sequence,
        "confirmation": {"mode": mode, "regions": list(regions)},
    }
    if reason:
        payload["reason"] = reason
    publish(
        account_id=monitor.account_id,
        subject_id=monitor.pk,
        type=event,
        key=f"{monitor.pk}:{transition.sequence}",
        payload=payload,
        occurred_at=transition.at,
        now=now,
    )
