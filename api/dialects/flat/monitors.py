"""What the flat format answers: every field for every type, null where it does not fit."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api import heartbeat
from api.base import path_id
from api.dialects.flat.fields import FlatMonitorInput, changed_fields, new_fields, target_of
from api.dialects.flat.kinds import SHOWN, option_names, type_of
from api.dialects.format import MonitorFormat
from api.errors import Refusal
from api.http_auth import shown_auth
from monitors import heartbeats
from monitors.models import Evidence, Monitor, MonitorState
from monitors.outcomes import newest_probes
from probes.instants import rfc3339

OPTIONAL = (
    "keyword",
    "keyword_type",
    "keyword_match",
    "expected_status",
    "latency_warn_ms",
    "ssl_warn_days",
    "dns_record_type",
    "dns_expected_value",
    "dns_resolver",
    "heartbeat_token",
    "heartbeat_last_ping",
    "heartbeat_secret",
)
"""Options that are null where they do not fit the type, or are not set."""
DEFAULTS = {
    "keyword": {"keyword_type": "contains", "keyword_match": "exact"},
    "port": {"protocol": "tcp"},
}
"""By type, what monitors mean that another format made without saying so."""


def many(monitors: Iterable[Monitor]) -> dict[str, Any]:
    """All monitors."""
    monitors = list(monitors)
    seen = newest_probes([monitor.pk for monitor in monitors if monitor.type == "ssl"])
    return {"monitors": [body(each, each.state, seen.get(each.pk, [])) for each in monitors]}


def one(monitor: Monitor) -> dict[str, Any]:
    """One monitor, with what is believed of it by now."""
    seen = newest_probes([monitor.pk]) if monitor.type == "ssl" else {}
    return body(monitor, MonitorState.objects.get(pk=monitor.pk), seen.get(monitor.pk, []))


def body(monitor: Monitor, state: MonitorState, newest_first: Sequence[Evidence]) -> dict[str, Any]:
    """A monitor and its state. Flapping is not known here: what was settled last is shown."""
    last = monitor.heartbeat.last_ping_at if monitor.type == heartbeats.TYPE else state.last_check_at
    return {
        "id": monitor.pk,
        "user_id": monitor.account_id,
        "name": monitor.name,
        "type": type_of(monitor),
        "target": target_of(monitor),
        "interval_secs": monitor.interval_seconds,
        "timeout_secs": -(-monitor.timeout_ms // 1000),
        **_options(monitor),
        "confirmation_count": monitor.confirmation_count,
        "consecutive_fails": state.consecutive_fails,
        "ssl_expiry_at": _expiry(newest_first),
        "enabled": monitor.enabled,
        "status": state.status,
        "last_checked_at": rfc3339(last) if last else None,
        "created_at": rfc3339(monitor.created_at),
        "updated_at": rfc3339(monitor.updated_at),
        "alert_contact_ids": None,
        **shown_auth(monitor.options),
    }


def _options(monitor: Monitor) -> dict[str, Any]:
    """The fields that only some types have."""
    shown: dict[str, Any] = dict.fromkeys(OPTIONAL) | DEFAULTS.get(type_of(monitor), {})
    for name, option in option_names(monitor).items():
        if monitor.options.get(option) is not None:
            shown[name] = _as_field(name, monitor.options[option])
    return shown | (heartbeat.shown(monitor) if monitor.type == heartbeats.TYPE else {})


def _as_field(name: str, value: Any) -> Any:
    if name == "expected_status":  # One and a number; where another format set more of them, null.
        return value if isinstance(value, int) else None
    return _fields()[name].to_representation(value)


@functools.cache
def _fields() -> Mapping[str, Any]:
    return FlatMonitorInput().fields


def _expiry(newest_first: Sequence[Evidence]) -> str | None:
    """When the certificate that was seen last ends."""
    ends = (each.cert_expires_at for each in newest_first if each.cert_expires_at is not None)
    newest = next(ends, None)
    return rfc3339(newest) if newest else None


FORMAT = MonitorFormat(
    new_fields=new_fields,
    changed_fields=changed_fields,
    one=one,
    many=many,
    read_id=lambda text: path_id(text, "invalid monitor ID"),
    refuse_duplicate=lambda: Refusal(409, "monitor for this target already exists"),
    refuse_one_more=lambda _: Refusal(409, "monitor limit reached"),
    missing="monitor not found",
    created=201,
    shown=SHOWN,
)
