"""What /uptime-checks takes, and the monitor that it makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from rest_framework import serializers

from accounts.models import Account
from accounts.servers import SERVERS_PER_ACCOUNT
from api import fields
from api.targets import check_bare_address, check_for_servers
from incidents.events import CERT_EXPIRING
from monitors.models import Monitor
from monitors.targets import TARGETS
from probes.messages import HttpTarget, SslTarget, TcpTarget
from probes.url import bracketed

CHECK_TYPES = {"http": "http", "tcp": "tcp", "tls_expiry": "ssl"}
"""By its name here, the type of monitor."""
PLAIN_FIELDS = ("name", "url", "enabled", "servers")
OPTIONS = {
    "http": ("expected_status", "max_latency_ms", "body_match", "follow_redirects"),
    "tcp": ("max_latency_ms",),
    "ssl": ("max_latency_ms", "warn_days"),
}
"""By type of monitor, the options that can be set; others have no effect."""
DEFAULT_WARN_DAYS = 14
DEFAULTS: dict[str, dict[str, Any]] = {
    "http": {"expected_status": [[200, 299]]},
    "tcp": {},
    "ssl": {"warn_days": DEFAULT_WARN_DAYS},
}
DEFAULT_INTERVAL_SECONDS = 60
DEFAULT_TIMEOUT_MS = 10_000
ALERTS = {
    "alert_on_down": ("monitor.down", "monitor.flapping"),
    "alert_on_recovery": ("monitor.up",),
    "alert_on_cert_expiry": (CERT_EXPIRING,),
}
"""The types of event that each lets through."""
MUTED_AT_FIRST = ALERTS["alert_on_recovery"]


class UptimeCheckInput(serializers.Serializer[Monitor]):
    """The body of a create; in an update nothing is required. Unknown members are ignored."""

    name = fields.Text(longest=100)
    check_type = fields.Named(CHECK_TYPES, source="type")
    target = fields.Text(longest=500, source="url")
    probe_server_ids = fields.Ids(least=1, most=SERVERS_PER_ACCOUNT, source="servers")
    enabled = fields.Bit(required=False)
    expected_status_codes = fields.Statuses(required=False, allow_null=True, source="expected_status")
    max_latency_ms = fields.Whole(least=1, most=60_000, required=False, allow_null=True)
    body_contains = fields.Text(longest=500, required=False, allow_null=True, source="body_match")
    follow_redirects = fields.Bit(required=False)
    tls_warn_days_before_expiry = fields.Whole(least=1, most=365, required=False, source="warn_days")
    timeout_seconds = fields.Whole(least=1, most=60, required=False)
    alert_on_down = fields.Bit(required=False)
    alert_on_recovery = fields.Bit(required=False)
    alert_on_cert_expiry = fields.Bit(required=False)


def new_fields(data: dict[str, Any], account: Account) -> dict[str, Any]:
    """The model fields of a new monitor, and the `servers` that look at it."""
    given = _validated(data)
    type_ = given["type"]
    made = {
        "type": type_,
        "interval_seconds": max(DEFAULT_INTERVAL_SECONDS, settings.MIN_INTERVAL_SECONDS),
        "timeout_ms": DEFAULT_TIMEOUT_MS,
        "muted_events": muted(given, MUTED_AT_FIRST),
        **_model_fields(given, type_, {}),
    }
    _check_target(type_, made["url"], made["options"])
    return made


def changed_fields(data: dict[str, Any], monitor: Monitor) -> dict[str, Any]:
    """The model fields that an update changes, and `servers` if given; a type stays."""
    given = _validated(data, partial=True)
    if given.pop("type", monitor.type) != monitor.type:
        raise serializers.ValidationError({"check_type": "check_type cannot be changed"})
    if given.get("url") == target_of(monitor):  # perhaps written otherwise by another format
        del given["url"]
    changes = _model_fields(given, monitor.type, monitor.options)
    if "url" in changes:
        _check_target(monitor.type, changes["url"], changes["options"])
    return changes | {"muted_events": muted(given, monitor.muted_events)}


def muted(given: dict[str, Any], before: Iterable[str]) -> list[str]:
    """The types of event that nobody is to be told of, once what is given is heeded."""
    silent = set(before)
    for name, events in ALERTS.items():
        if name in given:
            silent = silent.difference(events) if given[name] else silent.union(events)
    return sorted(silent)


def target_of(monitor: Monitor) -> str:
    """A monitor's target: a URL, or `host:port`, whatever other formats call it."""
    target = TARGETS[monitor.type](monitor.url, monitor.options)
    if isinstance(target, HttpTarget):
        return monitor.url
    assert isinstance(target, TcpTarget | SslTarget)  # noqa: S101  # see `CHECK_TYPES`
    return f"{bracketed(target.host)}:{target.port}"


def _check_target(type_: str, url: str, options: dict[str, Any]) -> None:
    if type_ != "http":
        check_bare_address(url)
    check_for_servers(type_, url, options)


def _validated(data: dict[str, Any], *, partial: bool = False) -> dict[str, Any]:
    serializer = UptimeCheckInput(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _model_fields(given: dict[str, Any], type_: str, options: dict[str, Any]) -> dict[str, Any]:
    """`given` as model fields: what only some types have goes into `options`, if it fits this one."""
    if given.get("follow_redirects"):  # Probes do so unless they are told.
        given = given | {"follow_redirects": None}
    fitting = {name: given[name] for name in OPTIONS[type_] if name in given}
    kept = {name: value for name, value in (options | fitting).items() if value is not None}
    model_fields: dict[str, Any] = {name: given[name] for name in PLAIN_FIELDS if name in given}
    if "timeout_seconds" in given:
        model_fields["timeout_ms"] = given["timeout_seconds"] * 1000
    return model_fields | {"options": DEFAULTS[type_] | kept}
