"""Checks, as /uptime-checks shows them. What is true is 1, and what is not 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, prefetch_related_objects

from accounts.models import Server
from api.dialects.format import MonitorFormat
from api.dialects.uptime_checks.errors import PlanLimitReached
from api.dialects.uptime_checks.fields import (
    ALERTS,
    CHECK_TYPES,
    DEFAULT_WARN_DAYS,
    changed_fields,
    new_fields,
    target_of,
)
from api.errors import Refusal
from api.fields import LARGEST_ID
from api.statuses import written
from monitors.assignments import server_ids
from monitors.models import Assignment, Monitor, MonitorState
from monitors.status import Status
from probes.instants import rfc3339

MISSING = "uptime check not found"
TYPE_NAMES = {type_: name for name, type_ in CHECK_TYPES.items()}
ASSIGNED = Exists(Assignment.objects.filter(monitor=OuterRef("pk")))


def many(monitors: Iterable[Monitor]) -> dict[str, Any]:
    """The answer that shows all checks."""
    listed = list(monitors)
    prefetch_related_objects(listed, "assignments__server")
    return {"checks": [check_body(monitor, monitor.state) for monitor in listed]}


def one(monitor: Monitor) -> dict[str, Any]:
    """The answer to a change: the check as it is by now, and who looks at it."""
    state = MonitorState.objects.get(pk=monitor.pk)
    return {"check": check_body(monitor, state), "probe_server_ids": server_ids(monitor)}


def check_body(monitor: Monitor, state: MonitorState) -> dict[str, Any]:
    """A check and what is believed of it; while it flaps, what was settled last."""
    status = None if state.status == Status.UNKNOWN else state.status
    servers = servers_body(monitor)
    return {
        "id": monitor.pk,
        "user_id": monitor.account_id,
        "name": monitor.name,
        "check_type": TYPE_NAMES[monitor.type],
        "target": target_of(monitor),
        "enabled": int(monitor.enabled),
        **_options_body(monitor.options),
        "timeout_seconds": -(-monitor.timeout_ms // 1000),
        **{name: int(not set(events) & set(monitor.muted_events)) for name, events in ALERTS.items()},
        "status": status,
        "last_status": status,
        "last_checked_at": rfc3339(state.last_check_at) if state.last_check_at else None,
        "probe_count": len(servers),
        "probe_servers": servers,
        "created_at": rfc3339(monitor.created_at),
    }


def servers_body(monitor: Monitor) -> list[dict[str, Any]]:
    """The servers that look at a monitor."""
    servers = sorted((each.server for each in monitor.assignments.all()), key=lambda each: each.pk)
    return [{"id": server.pk, "hostname": hostname(server)} for server in servers]


def hostname(server: Server) -> str:
    """What a server's agent calls it; before it spoke, what its owner does."""
    return server.hostname or server.name


def _options_body(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that only some types have, with their defaults where they do not fit."""
    expected = options.get("expected_status")
    return {
        "expected_status_codes": None if expected is None else written(expected),
        "max_latency_ms": options.get("max_latency_ms"),
        "body_contains": options.get("body_match"),
        "follow_redirects": int(options.get("follow_redirects", True)),
        "tls_warn_days_before_expiry": options.get("warn_days", DEFAULT_WARN_DAYS),
    }


def _read_id(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Refusal(404, MISSING)
    return min(int(text[:20]), LARGEST_ID)


FORMAT = MonitorFormat(
    new_fields=new_fields,
    changed_fields=changed_fields,
    one=one,
    many=many,
    read_id=_read_id,
    refuse_duplicate=lambda: Refusal(400, "target is that of another check", field="target"),
    refuse_one_more=PlanLimitReached,
    missing=MISSING,
    created=201,
    shown=Q(ASSIGNED, type__in=TYPE_NAMES),
)
