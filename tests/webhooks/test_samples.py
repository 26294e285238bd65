"""Sample events: delivered as any other, to one webhook, whatever it asks for."""

from __future__ import annotations

import json

import pytest

from tests.webhooks.conftest import NOW, SUBJECT, make_webhook
from webhooks import services
from webhooks.claiming import claim_deliveries
from webhooks.models import Delivery, Event, Webhook
from webhooks.samples import WebhookDisabled, send_sample


def test_a_sample_is_an_event_of_its_own_type_to_this_webhook_alone(webhook: Webhook) -> None:
    make_webhook(webhook.account, SUBJECT + 1)

    delivery = send_sample(webhook, {"monitor_id": SUBJECT}, NOW)

    assert list(Delivery.objects.all()) == [delivery]
    [claim] = claim_deliveries(NOW, 10)
    assert json.loads(claim.payload) == {"event": "webhook.test", "monitor_id": SUBJECT}
    assert (delivery.event.type, delivery.webhook_id) == ("webhook.test", webhook.pk)


def test_nobody_has_to_ask_for_it(webhook: Webhook) -> None:
    Webhook.objects.update(events=["monitor.down"])

    send_sample(webhook, {}, NOW)
    send_sample(webhook, {}, NOW)

    assert Event.objects.count() == Delivery.objects.count() == 2


def test_a_disabled_webhook_gets_none(webhook: Webhook) -> None:
    Webhook.objects.update(disabled_at=NOW)

    with pytest.raises(WebhookDisabled):
        send_sample(webhook, {}, NOW)

    assert not Event.objects.exists()


def test_nor_does_one_that_was_removed(webhook: Webhook) -> None:
    services.remove_webhook(account_id=webhook.account_id, subject_id=SUBJECT)

    with pytest.raises(Webhook.DoesNotExist):
        send_sample(webhook, {}, NOW)
