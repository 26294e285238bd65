"""Monitors of a TCP port, as /v1/tcp-monitors has them: fields, bounds and shapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from accounts.models import Account
from api import fields
from api.dialects.format import MonitorFormat
from api.dialects.tcp_monitors.errors import LIMIT_EXCEEDED
from api.dialects.tcp_monitors.ids import decoded, encoded
from api.dialects.tcp_monitors.results import response_ms, status_of
from api.errors import Refusal
from api.targets import checked_address
from monitors.models import Evidence, Monitor, MonitorState
from monitors.outcomes import VOTES, last_checks
from probes.instants import rfc3339

LONGEST_TEXT = 255
DEFAULTS = {"timeout_ms": 5000, "interval_seconds": 60, "enabled": True}
MISSING = "TCP monitor not found"


class Integer(fields.Whole):
    """As the contract's JSON Schema has it: 9.0 is one, too."""

    def to_internal_value(self, data: Any) -> int:
        is_integral = isinstance(data, float) and data.is_integer()
        return super().to_internal_value(int(data) if is_integral else data)


class TcpMonitorInput(fields.ClosedSerializer[Monitor]):
    """The body of a create; in an update nothing is required."""

    name = fields.Text(longest=LONGEST_TEXT)
    host = fields.Text(longest=LONGEST_TEXT)
    port = Integer(least=1, most=65535)
    timeoutMs = Integer(least=100, most=60_000, required=False, source="timeout_ms")
    intervalSeconds = Integer(least=10, most=86_400, required=False, source="interval_seconds")
    isEnabled = fields.Flag(required=False, source="enabled")


def new_fields(data: dict[str, Any], account: Account) -> dict[str, Any]:
    """The model fields of a new monitor."""
    given = _validated(data)
    url, addresses = checked_address(given.pop("host"), given.pop("port"))
    return DEFAULTS | given | {"type": "tcp", "url": url, "addresses": addresses}


def changed_fields(data: dict[str, Any], monitor: Monitor) -> dict[str, Any]:
    """The model fields that an update changes; an address is checked where it changes."""
    given = _validated(data, partial=True)
    now = host_and_port(monitor.url)
    wanted = given.pop("host", now[0]), given.pop("port", now[1])
    if wanted == now:
        return given
    url, addresses = checked_address(*wanted)
    return given | {"url": url, "addresses": addresses}


def host_and_port(url: str) -> tuple[str, int]:
    """The host of `host:port`, with or without a scheme, as it was typed, and the port."""
    host, _, port = url.rpartition("//")[2].rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def many(monitors: Iterable[Monitor]) -> dict[str, Any]:
    """The answer that shows all monitors."""
    monitors = list(monitors)
    checks = last_checks([monitor.pk for monitor in monitors])
    return {"data": [_body(monitor, checks.get(monitor.pk)) for monitor in monitors]}


def one(monitor: Monitor) -> dict[str, Any]:
    """The answer that shows one monitor."""
    return {"data": _body(monitor, last_checks([monitor.pk]).get(monitor.pk))}


def _body(monitor: Monitor, check: Evidence | None) -> dict[str, Any]:
    host, port = host_and_port(monitor.url)
    return {
        "id": encoded(monitor.pk),
        "name": monitor.name,
        "host": host,
        "port": port,
        "timeoutMs": monitor.timeout_ms,
        "intervalSeconds": monitor.interval_seconds,
        "isEnabled": monitor.enabled,
        **(_seen(check) if check else _believed(monitor.state)),
        "createdAt": rfc3339(monitor.created_at),
        "updatedAt": rfc3339(monitor.updated_at),
    }


def _seen(check: Evidence) -> dict[str, Any]:
    return {
        "lastCheckedAt": rfc3339(check.started_at),
        "lastStatus": status_of(check),
        "lastResponseTimeMs": response_ms(check),
    }


def _believed(state: MonitorState) -> dict[str, Any]:
    """What is left of the last check once its evidence has expired: of a paused monitor, when it was."""
    at = state.last_check_at
    return {
        "lastCheckedAt": rfc3339(at) if at else None,
        "lastStatus": state.status if at and state.status in VOTES else None,
        "lastResponseTimeMs": None,
    }


def _validated(data: dict[str, Any], *, partial: bool = False) -> dict[str, Any]:
    serializer = TcpMonitorInput(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _read_id(text: str) -> int:
    if (number := decoded(text)) is None:
        raise Refusal(404, MISSING)
    return number


FORMAT = MonitorFormat(
    new_fields=new_fields,
    changed_fields=changed_fields,
    one=one,
    many=many,
    read_id=_read_id,
    refuse_duplicate=lambda: Refusal(400, "there is a monitor of this host and port", field="host"),
    refuse_one_more=lambda _: Refusal(400, "maximum number of TCP monitors reached", code=LIMIT_EXCEEDED),
    missing=MISSING,
    created=201,
    newest_first=True,
    shown=Q(type="tcp") | Q(type="port", options__protocol="tcp"),
)
