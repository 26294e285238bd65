"""Publishing: the event and its deliveries are rows of the commit that makes the event true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from webhooks.body import freeze
from webhooks.models import Delivery, Event, Webhook
from webhooks.tasks import deliver_soon


class NotInTransaction(RuntimeError):
    """`publish` was called where its rows could be committed without what they tell of."""


def publish(
    *,
    account_id: int,
    subject_id: int,
    type: str,
    key: str,
    payload: Mapping[str, object],
    occurred_at: datetime,
    now: datetime,
    opt_in: bool = False,
) -> Event | None:
    """Step 13: write the event and a delivery to each webhook of its subject, in the caller's transaction.

    `payload` is the body, without `delivery_id` and `attempt`. With `opt_in`, only webhooks that ask for
    the type are told. Return None when `key` was published before.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction("publish must run in the transaction that makes the event true")
    event, created = Event.objects.get_or_create(
        key=key,
        defaults={
            "account_id": account_id,
            "subject_id": subject_id,
            "type": type,
            "payload": freeze(payload),
            "occurred_at": occurred_at,
            "created_at": now,
        },
    )
    if not created:
        return None
    tell(event, _askers(event, opt_in), now)
    return event


def tell(event: Event, webhook_ids: Iterable[int], now: datetime) -> list[Delivery]:
    """Write a delivery of a new event to each of these webhooks, which the caller has locked."""
    made = Delivery.objects.bulk_create(
        Delivery(
            event=event,
            account_id=event.account_id,
            subject_id=event.subject_id,
            webhook_id=webhook_id,
            next_attempt_at=now,
            created_at=now,
        )
        for webhook_id in webhook_ids
    )
    if made:
        # Only a hint, the beat finds the rows anyway: robust, so its failure is logged and goes no further.
        transaction.on_commit(deliver_soon, robust=True)
    return made


def _askers(event: Event, opt_in: bool) -> Iterable[int]:
    # The lock makes a removal wait, so that it sees and ends the deliveries that are made here.
    webhooks = Webhook.objects.filter(
        account_id=event.account_id, subject_id=event.subject_id, disabled_at=None
    )
    asked = Q(events__contains=[event.type])
    webhooks = webhooks.filter(asked if opt_in else asked | Q(events=None))
    return webhooks.select_for_update().values_list("pk", flat=True)
