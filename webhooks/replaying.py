"""Replaying: a finished delivery is due again, as the same delivery."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from webhooks.models import OPEN, Delivery, Status, Webhook
from webhooks.tasks import deliver_soon


class NotReplayable(Exception):
    """A delivery that cannot be sent again now; its text is a sentence that says why."""


@transaction.atomic
def replay(delivery: Delivery, now: datetime) -> Delivery:
    """Begin a new chain of attempts of a finished delivery; raises `NotReplayable`.

    Its body and its `delivery_id` stay, so that a receiver that has it knows it; attempts are numbered on.
    """
    # The webhook first, as all who lock both: it can be neither removed nor disabled in between.
    webhook = Webhook.objects.select_for_update().filter(pk=delivery.webhook_id).first()
    if webhook is None:
        raise NotReplayable("the webhook of this delivery was removed")
    if webhook.disabled_at:
        raise NotReplayable("the webhook of this delivery is disabled")
    delivery = Delivery.objects.select_for_update(of=["self"]).select_related("event").get(pk=delivery.pk)
    if delivery.status in OPEN or (delivery.lease_until and delivery.lease_until > now):
        raise NotReplayable("delivery is not finished")
    delivery.status, delivery.next_attempt_at, delivery.lease_until = Status.PENDING, now, None
    delivery.chain_start = delivery.attempt_count
    delivery.save()
    transaction.on_commit(deliver_soon, robust=True)
    return delivery
