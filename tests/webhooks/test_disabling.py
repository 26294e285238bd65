"""A receiver that is gone: its webhook is told nothing more, until it is set again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from tests.beside import apart, wait_until_blocked
from tests.webhooks.conftest import NOW, SUBJECT, make_webhook, publish_delivery, secret_of
from webhooks.claiming import LEASE, claim_deliveries
from webhooks.models import Delivery, Event, Status, Webhook
from webhooks.outcome import AttemptOutcome
from webhooks.recording import record_attempt

GONE = AttemptOutcome(duration_ms=5, status_code=410)


def test_a_410_disables_the_webhook_and_says_why(webhook: Webhook) -> None:
    publish_delivery(webhook)
    [claim] = claim_deliveries(NOW, 10)

    record_attempt(claim, GONE, NOW)

    webhook.refresh_from_db()
    assert (webhook.disabled_at, webhook.disabled_reason) == (NOW, "the receiver answered 410 Gone")


def test_what_was_still_to_be_sent_is_given_up(webhook: Webhook) -> None:
    publish_delivery(webhook, "on its way")
    waiting = publish_delivery(webhook, "waiting", NOW + LEASE)
    other = publish_delivery(make_webhook(webhook.account, SUBJECT + 1), "other", NOW + LEASE)
    [claim] = claim_deliveries(NOW, 10)

    record_attempt(claim, GONE, NOW)

    waiting.refresh_from_db()
    assert waiting.status == Status.FAILED
    assert [claim.delivery_id for claim in claim_deliveries(NOW + LEASE, 10)] == [other.pk]


def test_a_disabled_webhook_gets_no_deliveries_until_it_is_set_again(webhook: Webhook) -> None:
    publish_delivery(webhook)
    record_attempt(claim_deliveries(NOW, 10)[0], GONE, NOW)

    with pytest.raises(Delivery.DoesNotExist):
        publish_delivery(webhook, "untold")
    enabled = make_webhook(webhook.account)

    assert (enabled.pk, secret_of(enabled)) == (webhook.pk, secret_of(webhook))
    assert (enabled.disabled_at, enabled.disabled_reason) == (None, "")
    assert publish_delivery(webhook, "told").status == Status.PENDING


def test_a_410_of_the_url_before_disables_nothing(webhook: Webhook) -> None:
    delivery = publish_delivery(webhook)
    [claim] = claim_deliveries(NOW, 10)
    make_webhook(webhook.account, url="https://moved.example/hook")

    record_attempt(claim, GONE, NOW)

    webhook.refresh_from_db()
    delivery.refresh_from_db()
    assert (webhook.disabled_at, delivery.status) == (None, Status.FAILED)


@pytest.mark.django_db(transaction=True)
def test_a_410_waits_for_a_publication_and_ends_its_delivery(webhook: Webhook) -> None:
    publish_delivery(webhook)
    [claim] = claim_deliveries(NOW, 10)

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            publish_delivery(webhook, "meanwhile")
            recorded = thread.submit(apart, lambda: record_attempt(claim, GONE, NOW))
            wait_until_blocked()
        assert recorded.result(10)

    assert Event.objects.count() == 2
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.FAILED}
