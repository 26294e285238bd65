"""What servers saw of a check, as /uptime-checks has it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Server
from api.dialects.uptime_checks.checks import check_body, hostname, servers_body
from monitors.assignments import latest_reports, server_id_of
from monitors.looks import looks_at, share_up
from monitors.models import Evidence, Monitor, Report
from probes.agent.messages import KINDS
from probes.errors import ErrorClass
from probes.instants import rfc3339, unix_ms

RECENT_RESULTS = 100
UPTIME_WINDOW = timedelta(hours=24)
ID_BYTES = 6
"""JavaScript reads integers of up to 53 bits."""


def whole(monitor: Monitor, now: datetime) -> dict[str, Any]:
    """A check with what its servers see of it, and saw."""
    share = share_up(monitor.pk, now - UPTIME_WINDOW)
    servers = {server.pk: server for server in Server.objects.filter(account=monitor.account_id)}
    return {
        "check": check_body(monitor, monitor.state),
        "probe_servers": servers_body(monitor),
        "per_probe_latest": [_latest_body(report) for report in latest_reports(monitor)],
        "recent_results": [_result_body(each, servers) for each in looks_at(monitor.pk, RECENT_RESULTS)],
        "uptime_pct_24h": None if share is None else round(share * 100, 2),
    }


def _latest_body(report: Report) -> dict[str, Any]:
    server = report.assignment.server
    said = {"server_id": server.pk, "hostname": hostname(server), "executed_at": rfc3339(report.checked_at)}
    return said | _seen(report)


def _result_body(seen: Evidence, servers: Mapping[int, Server]) -> dict[str, Any]:
    server_id, ends = server_id_of(seen.region), seen.cert_expires_at
    server = servers.get(server_id)
    return {
        "id": _result_id(seen),
        "check_id": seen.monitor_id,
        "server_id": server_id,
        "hostname": hostname(server) if server else None,
        "executed_at": rfc3339(seen.started_at),
        **_seen(seen),
        "tls_days_remaining": (ends - seen.started_at).days if ends else None,
    }


def _seen(look: Report | Evidence) -> dict[str, Any]:
    """What a server saw; of what it could not look at there is no kind."""
    error_class = ErrorClass[look.error_class.upper()] if look.error_class else None
    return {
        "ok": int(look.outcome == "up"),
        "status_code": look.status_code,
        "latency_ms": round(look.total_ms),
        "error_kind": KINDS.get(error_class) if error_class else None,
        "error_message": look.error or None,
    }


def _result_id(seen: Evidence) -> int:
    """A number that stays: a digest of the key, which has none of its own."""
    key = (seen.monitor_id, unix_ms(seen.scheduled_at), seen.region)
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=ID_BYTES).digest())
