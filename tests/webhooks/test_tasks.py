from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from celery.signals import worker_shutting_down
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from tests.webhooks.conftest import SUBJECT, make_webhook, publish_delivery
from tests.webhooks.receivers import hangs, receiver, replies
from webhooks import tasks
from webhooks.models import Delivery, Status
from webhooks.tasks import DELIVER_DUE, deliver_due


@pytest.mark.django_db(transaction=True)
def test_the_task_delivers_what_is_due_by_the_clock(account: Account) -> None:
    with receiver(replies(204)) as server:
        publish_delivery(make_webhook(account, url=server.url), now=timezone.now())

        assert deliver_due() == 1

    assert Delivery.objects.get().status == Status.DELIVERED


@pytest.mark.django_db(transaction=True)
def test_a_process_has_one_run_at_a_time(account: Account) -> None:
    released = Event()
    with receiver(hangs(released)) as hanging, ThreadPoolExecutor(1) as thread:
        publish_delivery(make_webhook(account, url=hanging.url), now=timezone.now())
        run = thread.submit(run_in_thread)
        hanging.requests.get(timeout=10)
        with receiver(replies(204)) as healthy:
            publish_delivery(make_webhook(account, SUBJECT + 1, healthy.url), "other", timezone.now())

            assert deliver_due() == 0

            healthy.requests.get(timeout=10)  # from the run that was there
            released.set()
            assert run.result(30) == 2
    assert deliver_due() == 0


def run_in_thread() -> int:
    try:
        return deliver_due()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_shuts_down_begins_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_stopping", Event())
    with receiver(replies(204)) as server:
        publish_delivery(make_webhook(account, url=server.url), now=timezone.now())

        worker_shutting_down.send(sender=None)

        assert deliver_due() == 0
        assert server.requests.empty()


def test_the_task_is_acknowledged_late_since_a_run_may_die_with_its_worker() -> None:
    assert (deliver_due.name, deliver_due.acks_late) == (DELIVER_DUE, True)
