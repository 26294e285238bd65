from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from kombu.utils import functional
from redis import retry

from accounts.models import Account
from config.celery import app
from probes import names
from tests.webhooks.conftest import NOW, SUBJECT, make_webhook, publish_delivery
from webhooks import outbox
from webhooks.models import Delivery, Event, Status, Webhook
from webhooks.tasks import DELIVER_DUE


def publish(account: Account, key: str = "1287:4") -> Event | None:
    return outbox.publish(
        account_id=account.pk,
        subject_id=SUBJECT,
        type="monitor.down",
        key=key,
        payload={"event": "monitor.down"},
        occurred_at=NOW,
        now=NOW,
    )


def test_an_event_is_frozen_with_a_delivery_due_at_once(account: Account, webhook: Webhook) -> None:
    make_webhook(account, SUBJECT + 1)

    event = publish(account)

    assert event is not None
    assert json.loads(event.payload) == {"event": "monitor.down"}
    delivery = Delivery.objects.get()
    assert (delivery.event, delivery.webhook_id) == (event, webhook.pk)
    assert (delivery.status, delivery.attempt_count) == (Status.PENDING, 0)
    assert delivery.next_attempt_at == NOW


def test_an_event_nobody_asked_for_is_kept_without_deliveries(account: Account) -> None:
    assert publish(account) is not None
    assert not Delivery.objects.exists()


def test_publishing_a_key_again_changes_nothing(account: Account, webhook: Webhook) -> None:
    publish(account)

    assert publish(account) is None

    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_a_transaction_is_refused(account: Account) -> None:
    with pytest.raises(outbox.NotInTransaction):
        publish(account)

    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_nothing(account: Account, webhook: Webhook) -> None:
    with transaction.atomic():
        publish(account)
        transaction.set_rollback(True)

    assert not Event.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_publishers_of_one_key_make_one_event(account: Account, webhook: Webhook) -> None:
    together = Barrier(2)

    def publisher(_: int) -> bool:
        try:
            with transaction.atomic():
                together.wait(10)
                return publish(account) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(publisher, range(2))) == [False, True]
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_commit_asks_for_a_run_on_the_delivery_queue(webhook: Webhook) -> None:
    with app.connection_for_read() as broker, broker.SimpleQueue(names.DELIVERY_QUEUE) as queue:
        queue.clear()

        publish_delivery(webhook)

        assert queue.get(timeout=10).headers["task"] == DELIVER_DUE


@pytest.mark.django_db(transaction=True)
def test_a_publisher_does_not_suffer_from_a_broker_that_is_away(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    waits: list[float] = []
    monkeypatch.setattr(functional, "sleep", waits.append)
    monkeypatch.setattr(retry, "sleep", waits.append)

    with caplog.at_level(logging.ERROR):
        publish_delivery(webhook)

    assert not waits
    assert Delivery.objects.count() == 1
    assert "Connection refused" in caplog.text
