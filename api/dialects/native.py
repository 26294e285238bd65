"""The native wire format of /api/v1: its field names, its shapes and its bounds, as data."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from django.conf import settings
from rest_framework import serializers

from accounts.models import Account, ApiKey
from accounts.scopes import SCOPES
from api import fields
from api.http_auth import AUTH_TYPES, auth_options, shown_auth
from api.monitor_types import MONITOR_TYPES, MonitorType
from api.targets import refuse_bad_options
from incidents.events import EVENTS
from incidents.models import Incident, Round, Transition, Vote
from monitors.models import Evidence, Monitor, MonitorState, RegionalFailure
from monitors.status import Status
from probes.instants import from_unix_ms, rfc3339
from probes.messages import TIMINGS, RecordType
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.sealing import open_secret
from webhooks.services import Fields

LONGEST_NAME = 255
LONGEST_URL = 2048
LONGEST_MATCH = 1024
SHORTEST_LABEL = 3
LONGEST_LABEL = 100
LONGEST_INTERVAL_SECONDS = 86_400
DEFAULT_INTERVAL_SECONDS = 60
DEFAULT_TIMEOUT_MS = 10_000
LONGEST_TIMEOUT_SECONDS = 30
LONGEST_WARNING_DAYS = 365
MOST_CONFIRMATIONS = 10
PLAIN_FIELDS = ("name", "url", "type", "interval_seconds", "enabled", "confirmation_count")
RECORD_TYPES = list(get_args(RecordType))


class MonitorInput(serializers.Serializer[Monitor]):
    """The body of a create; in an update nothing is required. Unknown members are ignored."""

    name = fields.Text(longest=LONGEST_NAME)
    url = fields.Text(longest=LONGEST_URL)
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


class WebhookInput(serializers.Serializer[Webhook]):
    """The body that sets a monitor's webhook."""

    url = fields.Text(longest=LONGEST_URL)
    events = fields.Choices(list(EVENTS), required=False, allow_null=True)


class KeyInput(serializers.Serializer[ApiKey]):
    """The body that creates a key."""

    label = fields.Text(shortest=SHORTEST_LABEL, longest=LONGEST_LABEL)  # type: ignore[assignment]  # a Field has one, too
    scopes = fields.Choices(list(SCOPES), required=False, allow_null=True)


def key_fields(data: dict[str, Any]) -> dict[str, Any]:
    """The fields of a new key; raises a refusal that names the first that is wrong."""
    serializer = KeyInput(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def webhook_fields(data: dict[str, Any]) -> Fields:
    """The fields that a body sets on a webhook; raises a refusal that names the first that is wrong."""
    serializer = WebhookInput(data=data)
    serializer.is_valid(raise_exception=True)
    given: Fields = serializer.validated_data
    return given


def new_monitor_fields(data: dict[str, Any], account: Account) -> dict[str, Any]:
    """The model fields of a new monitor; raises a refusal that names the first field that is wrong."""
    given = _validated(data)
    type_ = MONITOR_TYPES[given["type"]]
    for name in type_.required:
        if not given.get(name):
            raise serializers.ValidationError(f"{name} is required")
    type_.check_url(given["url"])
    defaults = {
        "interval_seconds": max(DEFAULT_INTERVAL_SECONDS, settings.MIN_INTERVAL_SECONDS),
        "timeout_ms": DEFAULT_TIMEOUT_MS,
        "enabled": True,
    }
    return defaults | _model_fields(given, type_, dict(type_.defaults), account.pk)


def changed_monitor_fields(data: dict[str, Any], monitor: Monitor) -> dict[str, Any]:
    """The model fields that an update changes; those left out keep their values. A type stays."""
    given = _validated(data, partial=True)
    if given.pop("type", monitor.type) != monitor.type:
        raise serializers.ValidationError("type cannot be changed")
    type_ = MONITOR_TYPES[monitor.type]
    if given.get("url", monitor.url) != monitor.url:
        type_.check_url(given["url"])
    return _model_fields(given, type_, monitor.options, monitor.account_id)


def monitor_body(monitor: Monitor) -> dict[str, Any]:
    """A monitor without its state."""
    body = {
        "id": monitor.pk,
        "name": monitor.name,
        "url": monitor.url,
        "type": monitor.type,
        "interval_sec": monitor.interval_seconds,
        "timeout_secs": monitor.timeout_ms // 1000,
        "confirmation_count": monitor.confirmation_count,
    }
    for name, option in MONITOR_TYPES[monitor.type].options.items():
        if monitor.options.get(option) is not None:
            body[name] = _shown_fields()[name].to_representation(monitor.options[option])
    if MONITOR_TYPES[monitor.type].takes_credentials:
        body |= shown_auth(monitor.options)
    return body | {"enabled": monitor.enabled, "created_at": rfc3339(monitor.created_at)}


def listed_monitor_body(monitor: Monitor) -> dict[str, Any]:
    """A monitor as it stands in the list: its state is flattened into it."""
    return monitor_body(monitor) | _summary(monitor.state)


def envelope(monitor: Monitor, state: MonitorState, evidence: list[Evidence]) -> dict[str, Any]:
    """A monitor beside its state and its newest evidence."""
    whole = {
        "regional_failures": [_regional_body(each) for each in state.regional_failures.order_by("region")],
        "missed_checks": state.missed_checks,
        "consecutive_fails": state.consecutive_fails,
        "evidence_buffer": [stored_evidence_body(each) for each in evidence],
        **_certificate_body(evidence),
    }
    return {"monitor": monitor_body(monitor), "state": _summary(state) | whole}


def webhook_body(webhook: Webhook) -> dict[str, Any]:
    """A webhook with the plain text of its secret, which the contract returns to every reader."""
    return {
        "id": webhook.pk,
        "monitor_id": webhook.subject_id,
        "url": webhook.url,
        "secret": open_secret(webhook.secret, webhook.account_id),
        "created_at": rfc3339(webhook.created_at),
        **({"events": webhook.events} if webhook.events is not None else {}),
        **_rotated_body(webhook),
        **_disabled_body(webhook),
    }


def key_body(key: ApiKey) -> dict[str, Any]:
    """A key without its plain text; `expires_at` only where it was rotated."""
    body = {
        "id": key.pk,
        "label": key.label,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "created_at": rfc3339(key.created_at),
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at else None,
    }
    return body | ({"expires_at": rfc3339(key.expires_at)} if key.expires_at else {})


def account_body(account: Account) -> dict[str, Any]:
    """An account in its envelope."""
    return {"account": {"id": account.pk, "name": account.name, "created_at": rfc3339(account.created_at)}}


def delivery_body(delivery: Delivery) -> dict[str, Any]:
    """A delivery as the log shows it."""
    last = delivery.last_attempt_at
    return {
        "id": delivery.pk,
        "webhook_id": delivery.webhook_id,
        "monitor_id": delivery.subject_id,
        "account_id": delivery.account_id,
        "event_type": delivery.event.type,
        "status": delivery.status,
        "attempt_count": delivery.attempt_count,
        "last_response_code": delivery.last_response_code,
        "last_attempt_at": rfc3339(last) if last else None,
        "next_attempt_at": rfc3339(delivery.next_attempt_at),
        "created_at": rfc3339(delivery.created_at),
    }


def logged_delivery_body(delivery: Delivery) -> dict[str, Any]:
    """A delivery with its attempts, oldest first, in its envelope."""
    attempts = [_attempt_body(attempt) for attempt in delivery.attempts.order_by("number")]
    return {"delivery": delivery_body(delivery) | {"attempts": attempts}}


def sample_payload(monitor: Monitor, now: datetime) -> dict[str, Any]:
    """What a sample event says of the monitor."""
    return {
        "monitor_id": monitor.pk,
        "monitor_name": monitor.name,
        "monitor_url": monitor.url,
        "account_id": monitor.account_id,
        "occurred_at": rfc3339(now),
    }


def incident_body(incident: Incident) -> dict[str, Any]:
    """An incident; `resolved_at` is absent while it lasts."""
    body = {
        "id": incident.pk,
        "monitor_id": incident.monitor_id,
        "account_id": incident.account_id,
        "type": incident.type,
        "reason": incident.reason,
        "confirmation": {
            "mode": incident.mode,
            "regions": sorted({result["region"] for result in incident.evidence}),
        },
        "started_at": rfc3339(incident.started_at),
        "evidence": [kept_evidence_body(result) for result in incident.evidence],
        "created_at": rfc3339(incident.created_at),
    }
    if incident.resolved_at is None:
        return body
    return body | {"resolved_at": rfc3339(incident.resolved_at), "resolution": incident.resolution}


def round_body(round_: Round) -> dict[str, Any]:
    """The receipt of a verdict: who was asked, what each answered, and what followed.

    `votes` and `transitions` are prefetched by the caller.
    """
    return {
        "id": round_.pk,
        "monitor_id": round_.monitor_id,
        "scheduled_at": rfc3339(round_.scheduled_at),
        "opened_at": rfc3339(round_.opened_at),
        "closed_at": rfc3339(round_.closed_at) if round_.closed_at else None,
        "mode": round_.mode,
        "verdict": round_.verdict or None,
        "votes": [_vote_body(vote) for vote in round_.votes.all()],
        "transition": next((_transition_body(each) for each in round_.transitions.all()), None),
        "regional_failures": [region.upper() for region in round_.regional],
    }


def stored_evidence_body(evidence: Evidence) -> dict[str, Any]:
    """One row of evidence."""
    ends = evidence.cert_expires_at
    body = _evidence(vars(evidence), evidence.started_at)
    return body | ({"cert_expires_at": rfc3339(ends)} if ends else {})


def kept_evidence_body(result: dict[str, Any]) -> dict[str, Any]:
    """A result as an incident or a vote keeps it."""
    return _evidence(result, from_unix_ms(result["started_at_ms"]))


def _evidence(seen: dict[str, Any], at: datetime) -> dict[str, Any]:
    """What was not reached is left out: no status code of a refused connection, no TLS of plain http."""
    body = {"region": seen["region"].upper(), "timestamp": rfc3339(at)}
    for name in ("status_code", "error_class", "error", "address", "family"):
        if seen.get(name):
            body[name] = seen[name]
    timings = {name: seen.get(name) for name in TIMINGS}
    return body | {name: round(value) for name, value in timings.items() if value is not None}


def _summary(state: MonitorState) -> dict[str, Any]:
    last = state.last_check_at
    status = Status.FLAPPING if state.flapping_since else state.status
    return {"status": status, "last_check_at": rfc3339(last) if last else None}


def _certificate_body(newest_first: list[Evidence]) -> dict[str, Any]:
    """The whole days that the certificate had left when one was last seen."""
    for seen in newest_first:
        if seen.cert_expires_at is not None:
            return {"cert_days_left": (seen.cert_expires_at - seen.started_at).days}
    return {}


def _rotated_body(webhook: Webhook) -> dict[str, Any]:
    until = webhook.previous_secret_until
    return {"previous_secret_until": rfc3339(until)} if until else {}


def _disabled_body(webhook: Webhook) -> dict[str, Any]:
    if webhook.disabled_at is None:
        return {}
    return {"disabled_at": rfc3339(webhook.disabled_at), "disabled_reason": webhook.disabled_reason}


def _attempt_body(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started_at": rfc3339(attempt.started_at),
        "duration_ms": attempt.duration_ms,
        "status_code": attempt.status_code,
        "error_class": attempt.error_class or None,
        "error": attempt.error or None,
        "response_head": attempt.response_head,
    }


def _vote_body(vote: Vote) -> dict[str, Any]:
    body = {
        "region": vote.region.upper(),
        "attempt": vote.attempt,
        "asked_at": rfc3339(vote.asked_at) if vote.asked_at else None,
        "outcome": vote.outcome or None,
    }
    return body | (kept_evidence_body(vote.evidence) if vote.evidence else {})


def _transition_body(transition: Transition) -> dict[str, Any]:
    return {
        "sequence": transition.sequence,
        "from": transition.from_status,
        "to": transition.to_status,
    }


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
    if "timeout_secs" in given:
        model_fields["timeout_ms"] = given["timeout_secs"] * 1000
    return model_fields | {"options": kept}
