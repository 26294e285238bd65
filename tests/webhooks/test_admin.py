from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.webhooks.conftest import NOW, publish_delivery, secret_of
from webhooks.claiming import claim_deliveries
from webhooks.models import Webhook
from webhooks.outcome import AttemptOutcome
from webhooks.recording import record_attempt


def test_a_webhooks_page_shows_neither_its_secret_nor_the_sealed_one(
    admin_client: Client, webhook: Webhook
) -> None:
    page = admin_client.get(reverse("admin:webhooks_webhook_change", args=[webhook.pk])).content.decode()

    assert webhook.url in page
    assert webhook.secret not in page
    assert secret_of(webhook) not in page


def test_a_delivery_shows_its_attempts(admin_client: Client, webhook: Webhook) -> None:
    delivery = publish_delivery(webhook)
    [claim] = claim_deliveries(NOW, 1)
    record_attempt(claim, AttemptOutcome(duration_ms=5, status_code=503, response_head="try later"), NOW)

    page = admin_client.get(reverse("admin:webhooks_delivery_change", args=[delivery.pk])).content.decode()

    assert "try later" in page


@pytest.mark.parametrize("model", ["webhook", "event", "delivery"])
def test_the_outbox_is_not_written_by_hand(admin_client: Client, webhook: Webhook, model: str) -> None:
    publish_delivery(webhook)

    assert admin_client.get(reverse(f"admin:webhooks_{model}_changelist")).status_code == 200
    assert admin_client.get(reverse(f"admin:webhooks_{model}_add")).status_code == 403
