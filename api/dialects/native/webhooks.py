"""Webhooks and their deliveries in the native format."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from api import fields
from api.dialects.native.monitors import LONGEST_URL
from incidents.events import EVENTS
from probes.instants import rfc3339
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.sealing import open_secret
from webhooks.services import Fields


class WebhookInput(serializers.Serializer[Webhook]):
    """The body that sets a monitor's webhook."""

    url = fields.Text(longest=LONGEST_URL)
    events = fields.Choices(list(EVENTS), required=False, allow_null=True)


def webhook_fields(data: dict[str, Any]) -> Fields:
    """The fields that a body sets on a webhook; raises a refusal that names the first that is wrong."""
    serializer = WebhookInput(data=data)
    serializer.is_valid(raise_exception=True)
    given: Fields = serializer.validated_data
    return given


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
