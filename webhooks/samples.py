"""Sample events: what a receiver would get, for whoever is setting one up. They tell of no change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from webhooks.body import freeze
from webhooks.models import Delivery, Event, Webhook
from webhooks.outbox import tell

SAMPLE = "webhook.test"
"""Not `monitor.…`: nothing that takes those as changes of state can mistake it."""


class WebhookDisabled(Exception):
    """Nothing is sent to this webhook until it is set again."""


@transaction.atomic
def send_sample(webhook: Webhook, about: Mapping[str, object], now: datetime) -> Delivery:
    """Publish a sample to this webhook alone, whatever types it asks for; it is delivered as any other.

    `about` describes the subject. Raises `WebhookDisabled`, and `Webhook.DoesNotExist` if it was removed.
    """
    if Webhook.objects.select_for_update().get(pk=webhook.pk).disabled_at:
        raise WebhookDisabled
    event = Event.objects.create(
        account_id=webhook.account_id,
        subject_id=webhook.subject_id,
        type=SAMPLE,
        key=f"{webhook.subject_id}:sample:{uuid4()}",
        payload=freeze({"event": SAMPLE, **about}),
        occurred_at=now,
        created_at=now,
    )
    [delivery] = tell(event, [webhook.pk], now)
    return delivery
