from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction

from accounts.models import Account
from webhooks import services
from webhooks.models import Delivery, Webhook
from webhooks.outbox import publish
from webhooks.sealing import open_secret

NOW = datetime(2026, 11, 21, 9, 14, 2, tzinfo=UTC)
SUBJECT = 1287


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create(name="Example", created_at=NOW)


@pytest.fixture
def webhook(account: Account) -> Webhook:
    return make_webhook(account)


def make_webhook(account: Account, subject_id: int = SUBJECT, url: str = "https://a.example/hook") -> Webhook:
    return services.set_webhook(account_id=account.pk, subject_id=subject_id, url=url, now=NOW)


def secret_of(webhook: Webhook) -> str:
    return open_secret(webhook.secret, webhook.account_id)


@transaction.atomic
def publish_delivery(webhook: Webhook, key: str = "1287:4", now: datetime = NOW) -> Delivery:
    """Publish one event about the webhook's subject; its delivery."""
    event = publish(
        account_id=webhook.account_id,
        subject_id=webhook.subject_id,
        type="monitor.down",
        key=key,
        payload={"event": "monitor.down", "monitor_id": webhook.subject_id, "monitor_name": "größe"},
        occurred_at=now,
        now=now,
    )
    assert event is not None
    return event.deliveries.get()
