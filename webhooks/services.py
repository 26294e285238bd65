"""What an account does with its webhooks. A webhook of another account does not exist."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NotRequired, TypedDict, Unpack

from django.db import transaction

from webhooks.disabling import give_up
from webhooks.models import Event, Webhook
from webhooks.sealing import seal_secret
from webhooks.signing import new_secret

OVERLAP = timedelta(hours=24)
"""How long both secrets sign after a rotation."""


class Fields(TypedDict):
    """What an account says of a webhook. `events`: the types that it asks for; None: all that are unasked."""

    url: str
    events: NotRequired[list[str] | None]


def set_webhook(*, account_id: int, subject_id: int, now: datetime, **fields: Unpack[Fields]) -> Webhook:
    """Give the subject its webhook, or change the one it has, which keeps its id, secret and other fields.

    `url` has been validated by the caller. Deliveries already due go to the new URL. A disabled webhook is
    told again what happens from now on.
    """
    enabled = {"disabled_at": None, "disabled_reason": ""}
    webhook, _ = Webhook.objects.update_or_create(
        account_id=account_id,
        subject_id=subject_id,
        defaults={**fields, **enabled},
        create_defaults={**fields, "secret": seal_secret(new_secret(), account_id), "created_at": now},
    )
    return webhook


def get_webhook(*, account_id: int, subject_id: int) -> Webhook | None:
    """The subject's webhook."""
    return Webhook.objects.filter(account_id=account_id, subject_id=subject_id).first()


@transaction.atomic
def rotate_secret(*, account_id: int, subject_id: int, now: datetime) -> Webhook | None:
    """Give the subject's webhook a new secret. The one before signs too for `OVERLAP`; any older no more."""
    found = Webhook.objects.filter(account_id=account_id, subject_id=subject_id)
    webhook = found.select_for_update().first()
    if webhook is not None:
        webhook.previous_secret, webhook.previous_secret_until = webhook.secret, now + OVERLAP
        webhook.secret = seal_secret(new_secret(), account_id)
        webhook.save()
    return webhook


@transaction.atomic
def remove_webhook(*, account_id: int, subject_id: int) -> bool:
    """Remove the subject's webhook and give up its open deliveries; return whether there was one.

    An attempt already on its way is still recorded, but not repeated.
    """
    found = Webhook.objects.filter(account_id=account_id, subject_id=subject_id)
    webhook = found.select_for_update().first()
    if webhook is None:
        return False
    give_up(webhook)
    webhook.delete()
    return True


@transaction.atomic
def remove_subject(subject_id: int) -> None:
    """Forget a subject that is being deleted: its webhook, its events and their delivery log."""
    Webhook.objects.filter(subject_id=subject_id).delete()
    Event.objects.filter(subject_id=subject_id).delete()
