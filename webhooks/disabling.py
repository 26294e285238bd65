"""Webhooks whose receiver asked for no more: nothing is sent to them until they are set again."""

from __future__ import annotations

from datetime import datetime

from webhooks.claiming import Claim
from webhooks.models import OPEN, Delivery, Status, Webhook

GONE = "the receiver answered 410 Gone"


def disable_webhook(claim: Claim, now: datetime) -> None:
    """Disable the webhook whose receiver said so to `claim`, and give up its open deliveries.

    In the caller's transaction, before it locks any delivery: whoever holds both locks the webhook first.
    A webhook that was moved to another URL in the meantime is another receiver's.
    """
    told = Webhook.objects.filter(pk=claim.webhook_id, url=claim.url, disabled_at=None)
    webhook = told.select_for_update().first()
    if webhook is not None:
        webhook.disabled_at, webhook.disabled_reason = now, GONE
        webhook.save()
        give_up(webhook)


def give_up(webhook: Webhook) -> None:
    """End the open deliveries to a webhook. An attempt on its way is still recorded, but not repeated."""
    due = Delivery.objects.filter(subject_id=webhook.subject_id, webhook_id=webhook.pk, status__in=OPEN)
    due.update(status=Status.FAILED)
