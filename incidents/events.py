"""What the receivers of webhooks are told: the payloads, and their publication through the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents.case import Publish
from incidents.models import Transition
from monitors.models import MonitorState
from probes.instants import rfc3339
from webhooks.outbox import publish

SERVER_GONE, SERVER_BACK = "server.gone", "server.back"
EVENTS = ("monitor.down", "monitor.up", "monitor.flapping", "monitor.regional", SERVER_GONE, SERVER_BACK)
OPT_IN = ("monitor.regional", SERVER_GONE, SERVER_BACK)
"""Sent only to webhooks that ask for them: most people do not want to be woken for one region."""


def publish_event(event: Publish, state: MonitorState, transition: Transition | None, now: datetime) -> None:
    """Write an event of the monitor, once, in the transaction of what it tells of.

    A transition has one event at most, so its sequence number is the key; others add their occasion.
    """
    key = ":".join(filter(None, (str(state.pk), str(state.sequence), event.occasion)))
    publish(
        account_id=state.monitor.account_id,
        subject_id=state.pk,
        type=event.event,
        key=key,
        payload=_payload(event, state, transition, now),
        occurred_at=now,
        now=now,
        opt_in=event.event in OPT_IN,
    )


def _payload(
    event: Publish, state: MonitorState, transition: Transition | None, now: datetime
) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "event": event.event,
        "monitor_id": state.pk,
        "monitor_name": state.monitor.name,
        "monitor_url": state.monitor.url,
        "account_id": state.monitor.account_id,
        "occurred_at": rfc3339(now),
        "sequence": state.sequence,
    }
    if event.region:
        payload["region"] = event.region
    elif transition:
        payload["confirmation"] = {
            "mode": transition.round.mode,
            "regions": sorted({vote.region for vote in transition.deciding_votes()}),
        }
    return payload | ({"reason": event.reason} if event.reason else {})
