"""Monitors in the native format: the fields of a body and their bounds, and the shapes of answers."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from django.conf import settings
from rest_framework import serializers
from rest_framework.fields import empty

from accounts.models import Account
from accounts.servers import SERVERS_PER_ACCOUNT
from api import fields, heartbeat
from api.base import path_id
from api.dialects.format import MonitorFormat
from api.dialects.native.evidence import stored_evidence_body
from api.errors import Refusal
from api.http_auth import AUTH_TYPES, auth_options, shown_auth
from api.monitor_types import MONITOR_TYPES, MonitorType
from api.targets import check_for_servers, refuse_bad_options
from incidents.events import MUTABLE
from incidents.lifecycle import SECRET
from monitors import heartbeats
from monitors.assignments import server_ids, server_ids_of
from monitors.evidence import latest
from monitors.models import Evidence, Monitor, MonitorState, RegionalFailure
from monitors.status import Status
from probes.instants import rfc3339
from probes.messages import RecordType

EVIDENCE_SHOWN = 10
LONGEST_NAME = 255
LONGEST_URL = 2048
LONGEST_MATCH = 1024
LONGEST_INTERVAL_SECONDS = 86_400
DEFAULT_INTERVAL_SECONDS = 60
DEFAULT_TIMEOUT_MS = 10_000
LONGEST_TIMEOUT_SECONDS = 30
LONGEST_WARNING_DAYS = 365
MOST_CONFIRMATIONS = 10
STATUS = "expected_status"
PLAIN_FIELDS = (
    *("name", "url", "type", "interval_seconds", "enabled", "confirmation_count"),
    *("servers", "muted_events"),
)
RECORD_TYPES = list(get_args(RecordType))
NAMED_BY_US = [name for name, type_ in MONITOR_TYPES.items() if type_.is_named_by_us]


class Url(fields.Text):
    """What a monitor looks at: required, but of types that need no address."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if data is empty and not self.root.partial and self.root.initial_data.get("type") not in NAMED_BY_US:
            self.fail("required")
        return super().validate_empty_values(data)


class MonitorInput(serializers.Serializer[Monitor]):
    """The body of a create; in an update nothing is required. Unknown members are ignored."""

    name = fields.Text(longest=LONGEST_NAME)
    url = Url(longest=LONGEST_URL, required=False)
    type = fields.Choice(list(MONITOR_TYPES))
    expected_status = fields.StatusCode(required=False)
    body_match = fields.Text(longest=LONGEST_MATCH, forbidden=fields.NUL, required=False, allow_null=True)
    keyword = fields.Text(longest=LONGEST_MATCH, forbidden=fields.NUL, required=False)
    keyword_type = fields.Named({"contains": False, "not_contains": True}, required=False)
    keyword_match = fields.Named({"exact": False, "regex": True}, required=False)
    dns_record_type = fields.Choice(RECORD_TYPES, required=False)
    dns_expected_value = fields.Text(longest=LONGEST_NAME, required=False, allow_null=True)
    dns_resolver = fields.Text(longest=LONGEST_NAME, required=False, allow_null=True)
    ssl_warn_days = fields.Whole(least=0, most=LONGEST_WARNING_DAYS, required=False)
    heartbeat_secret = fields.Text(
        shortest=heartbeat.SHORTEST_SECRET, longest=heartbeat.LONGEST_SECRET, required=False, allow_null=True
    )
    heartbeat_grace_secs = fields.Whole(least=0, most=LONGEST_INTERVAL_SECONDS, required=False)
    heartbeat_cron = fields.Text(longest=heartbeat.LONGEST_CRON, required=False, allow_null=True)
    heartbeat_timezone = fields.Text(longest=heartbeat.LONGEST_CRON, required=False)
    protocol = fields.Choice(["tcp", "udp"], required=False)
    http_auth_type = fields.Choice(list(AUTH_TYPES), required=False)
    http_auth_username = fields.Text(longest=LONGEST_NAME, required=False)
    http_auth_password = fields.Text(longest=LONGEST_MATCH, required=False)
    http_auth_header = fields.Text(longest=LONGEST_NAME, required=False)
    http_auth_value = fields.Text(longest=LONGEST_URL, required=False)
    latency_warn_ms = fields.Whole(
        least=1, most=LONGEST_TIMEOUT_SECONDS * 1000, required=False, allow_null=True
    )
    confirmation_count = fields.Whole(least=1, most=MOST_CONFIRMATIONS, required=False)
    timeout_secs = fields.Whole(least=1, most=LONGEST_TIMEOUT_SECONDS, required=False)
    interval_sec = fields.Whole(
        least=settings.MIN_INTERVAL_SECONDS,
        most=LONGEST_INTERVAL_SECONDS,
        required=False,
        source="interval_seconds",
    )
    enabled = fields.Flag(required=False)
    servers = fields.Ids(most=SERVERS_PER_ACCOUNT, required=False)
    muted_events = fields.Choices(list(MUTABLE), required=False)


def new_monitor_fields(data: dict[str, Any], account: Account) -> dict[str, Any]:
    """The model fields of a new monitor, with `servers` and `addresses` as `MonitorFormat` has them.

    Raises a refusal that names the first field that is wrong.
    """
    return fields_of_new(_validated(data), account)


def fields_of_new(given: dict[str, Any], account: Account) -> dict[str, Any]:
    """As `new_monitor_fields`, of a body whose fields were each found good."""
    type_ = MONITOR_TYPES[given["type"]]
    if type_.is_named_by_us:
        given.setdefault("url", heartbeat.made_up_name())
    for name in type_.required:
        if not given.get(name):
            raise serializers.ValidationError(f"{name} is required")
    defaults: dict[str, Any] = {
        "addresses": [] if given.get("servers") else type_.check_url(given["url"]),
        "interval_seconds": max(DEFAULT_INTERVAL_SECONDS, settings.MIN_INTERVAL_SECONDS),
        "timeout_ms": DEFAULT_TIMEOUT_MS,
        "enabled": True,
    }
    made = defaults | _model_fields(given, type_, dict(type_.defaults), account.pk)
    if given.get("servers"):
        check_for_servers(made["type"], made["url"], made["options"])
    return made


def changed_monitor_fields(data: dict[str, Any], monitor: Monitor) -> dict[str, Any]:
    """The model fields that an update changes, with `servers` and `addresses` as `MonitorFormat` has them.

    The others keep their values. A type stays.
    """
    if STATUS in data and data[STATUS] == monitor_body(monitor, []).get(STATUS):
        # There may be more of them than this format can send.
        data = {name: value for name, value in data.items() if name != STATUS}
    return fields_of_change(_validated(data, partial=True), monitor)


def fields_of_change(given: dict[str, Any], monitor: Monitor) -> dict[str, Any]:
    """As `changed_monitor_fields`, of a body whose fields were each found good."""
    if given.pop("type", monitor.type) != monitor.type:
        raise serializers.ValidationError("type cannot be changed")
    type_ = MONITOR_TYPES[monitor.type]
    url, before = given.get("url", monitor.url), server_ids(monitor)
    servers = given.get("servers", before)
    changes = _model_fields(given, type_, monitor.options, monitor.account_id)
    if servers:
        check_for_servers(monitor.type, url, changes["options"])
    elif before or url != monitor.url:
        changes["addresses"] = type_.check_url(url)
    return changes


def monitor_body(monitor: Monitor, servers: Sequence[int]) -> dict[str, Any]:
    """A monitor without its state; `servers` are the ids of those that look at it."""
    body = {
        "id": monitor.pk,
        "name": monitor.name,
        "url": monitor.url,
        "type": monitor.type,
        "interval_sec": monitor.interval_seconds,
        "timeout_secs": -(-monitor.timeout_ms // 1000),
        "confirmation_count": monitor.confirmation_count,
    }
    for name, option in MONITOR_TYPES[monitor.type].options.items():
        if monitor.options.get(option) is not None:
            body[name] = _shown_fields()[name].to_representation(monitor.options[option])
    if MONITOR_TYPES[monitor.type].takes_credentials:
        body |= shown_auth(monitor.options)
    if monitor.type == heartbeats.TYPE:
        body |= heartbeat.shown(monitor)
    if servers:
        body["servers"] = list(servers)
    if monitor.muted_events:
        body["muted_events"] = monitor.muted_events
    return body | {"enabled": monitor.enabled, "created_at": rfc3339(monitor.created_at)}


def listed_bodies(monitors: Iterable[Monitor]) -> list[dict[str, Any]]:
    """Monitors as they stand in the list: the state of each is flattened into it."""
    listed = list(monitors)
    servers = server_ids_of(listed)
    return [
        monitor_body(monitor, servers.get(monitor.pk, [])) | _summary(monitor, monitor.state)
        for monitor in listed
    ]


def whole(monitor: Monitor) -> dict[str, Any]:
    """A monitor with what is believed and was seen of it by now."""
    state = MonitorState.objects.get(pk=monitor.pk)
    return envelope(monitor, state, latest(monitor.pk, EVIDENCE_SHOWN))


def envelope(monitor: Monitor, state: MonitorState, evidence: list[Evidence]) -> dict[str, Any]:
    """A monitor beside its state and its newest evidence."""
    whole = {
        "regional_failures": [_regional_body(each) for each in state.regional_failures.order_by("region")],
        "missed_checks": state.missed_checks,
        "consecutive_fails": state.consecutive_fails,
        "evidence_buffer": [stored_evidence_body(each) for each in evidence],
        **_certificate_body(evidence),
    }
    return {"monitor": monitor_body(monitor, server_ids(monitor)), "state": _summary(monitor, state) | whole}


def _summary(monitor: Monitor, state: MonitorState) -> dict[str, Any]:
    # A quiet ping writes no state.
    last = monitor.heartbeat.last_ping_at if monitor.type == heartbeats.TYPE else state.last_check_at
    status = Status.FLAPPING if state.flapping_since else state.status
    return {"status": status, "last_check_at": rfc3339(last) if last else None}


def _certificate_body(newest_first: list[Evidence]) -> dict[str, Any]:
    """The whole days that the certificate had left when one was last seen."""
    for seen in newest_first:
        if seen.cert_expires_at is not None:
            return {"cert_days_left": (seen.cert_expires_at - seen.started_at).days}
    return {}


def _regional_body(failure: RegionalFailure) -> dict[str, Any]:
    return {
        "region": failure.region.upper(),
        "since": rfc3339(failure.since),
        "error_class": failure.error_class,
    }


@functools.cache
def _shown_fields() -> Mapping[str, Any]:
    """The fields by name. Made once: DRF copies every one of them for each serializer."""
    return MonitorInput().fields


def _validated(data: dict[str, Any], *, partial: bool = False) -> dict[str, Any]:
    serializer = MonitorInput(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _model_fields(
    given: dict[str, Any], type_: MonitorType, options: dict[str, Any], account_id: int
) -> dict[str, Any]:
    """`given` as model fields: what only some types have goes into `options`, if it fits this one."""
    fitting = {option: given[name] for name, option in type_.options.items() if name in given}
    if type_.takes_credentials:
        fitting |= auth_options(given, account_id)
    kept = {name: value for name, value in (options | fitting).items() if value is not None}
    refuse_bad_options(kept)
    model_fields: dict[str, Any] = {name: given[name] for name in PLAIN_FIELDS if name in given}
    if type_.is_named_by_us and SECRET in given:
        model_fields[SECRET] = given[SECRET]
    if "timeout_secs" in given:
        model_fields["timeout_ms"] = given["timeout_secs"] * 1000
    return model_fields | {"options": kept}


FORMAT = MonitorFormat(
    new_fields=new_monitor_fields,
    changed_fields=changed_monitor_fields,
    one=whole,
    many=listed_bodies,
    read_id=lambda text: path_id(text, "invalid monitor ID"),
    refuse_duplicate=lambda: Refusal(409, "monitor for this URL already exists"),
    refuse_one_more=lambda _: Refusal(409, "monitor limit reached"),
    missing="monitor not found",
    created=200,
)
