"""What the receivers of webhooks are told: the payloads, and their publication through the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incidents.case import Publish
from incidents.models import Transition
from monitors import heartbeats
from monitors.assignments import is_assigned
from monitors.models import Monitor, MonitorState
from probes.instants import rfc3339, unix_ms
from webhooks.outbox import publish

SERVER_GONE, SERVER_BACK = "server.gone", "server.back"
CERT_EXPIRING = "monitor.cert_expiring"
UNASKED = ("monitor.down", "monitor.up", "monitor.flapping")
"""Sent to every webhook that does not say otherwise: the native contract's closed list."""
MUTABLE = (*UNASKED, CERT_EXPIRING)
"""What a monitor can mute."""
OPT_IN = ("monitor.regional", SERVER_GONE, SERVER_BACK)
"""Sent only to webhooks that ask for them: most people do not want to be woken for one region."""
EVENTS = (*MUTABLE, *OPT_IN)


def publish_event(event: Publish, state: MonitorState, transition: Transition | None, now: datetime) -> None:
    """Write an event of the monitor, once, in the transaction of what it tells of.

    A transition has one event at most, so its sequence number is the key; others add their occasion.
    """
    if event.event in state.monitor.muted_events:
        return
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


def publish_expiring(state: MonitorState, ends_at: datetime, now: datetime) -> None:
    """Write, once for each end, that the monitor's certificate ends then.

    Of what servers look at, webhooks are told unasked: `alert_on_cert_expiry` is on by default.
    """
    if CERT_EXPIRING in state.monitor.muted_events:
        return
    publish(
        account_id=state.monitor.account_id,
        subject_id=state.pk,
        type=CERT_EXPIRING,
        key=f"{state.pk}:{CERT_EXPIRING}:{unix_ms(ends_at)}",
        payload=_head(CERT_EXPIRING, state, now) | {"cert_expires_at": rfc3339(ends_at)},
        occurred_at=now,
        now=now,
        opt_in=not is_assigned(state.monitor),
    )


def about(monitor: Monitor, now: datetime) -> dict[str, Any]:
    """What every event says of its monitor. One that reports by itself has a name, but no URL."""
    url = {} if monitor.type == heartbeats.TYPE else {"monitor_url": monitor.url}
    return {
        "monitor_id": monitor.pk,
        "monitor_name": monitor.name,
        **url,
        "account_id": monitor.account_id,
        "occurred_at": rfc3339(now),
    }


def _head(event: str, state: MonitorState, now: datetime) -> dict[str, Any]:
    return {"event": event, **about(state.monitor, now), "sequence": state.sequence}


def _payload(
    event: Publish, state: MonitorState, transition: Transition | None, now: datetime
) -> dict[str, Any]:
    payload = _head(event.event, state, now)
    if event.region:
        payload["region"] = event.region
    elif transition:
        payload["confirmation"] = {
            "mode": transition.round.mode,
            "regions": sorted({vote.region for vote in transition.deciding_votes()}),
        }
    return payload | ({"reason": event.reason} if event.reason else {})
