from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event

import pytest
from django.db import DatabaseError, connection

from accounts.models import Account
from tests.webhooks.conftest import NOW, make_webhook, publish_delivery
from tests.webhooks.receivers import Handler, Receiver, hangs, receiver, replies
from webhooks import deliveries
from webhooks.claiming import MOST_PER_RECEIVER, Claim
from webhooks.models import Delivery, Status
from webhooks.outcome import AttemptOutcome
from webhooks.recording import record_attempt

pytestmark = pytest.mark.django_db(transaction=True)


def clock() -> datetime:
    return NOW


def backlog(account: Account, server: Receiver, subject_id: int, size: int) -> None:
    webhook = make_webhook(account, subject_id, server.url)
    for number in range(size):
        publish_delivery(webhook, f"{subject_id}:{number}")


def run_in_thread() -> int:
    """A run with a connection of its own, as in a worker."""
    try:
        return deliveries.deliver_due(clock, Event())
    finally:
        connection.close()


def test_all_that_is_due_is_sent_once_and_recorded(account: Account) -> None:
    size = 3 * MOST_PER_RECEIVER
    with receiver(replies(200)) as server:
        backlog(account, server, 1, size)

        assert deliveries.deliver_due(clock, Event()) == size

        bodies = [json.loads(server.requests.get_nowait().body) for _ in range(size)]
        assert server.requests.empty()
    delivery_ids = Delivery.objects.values_list("pk", flat=True)
    assert sorted(body["delivery_id"] for body in bodies) == sorted(delivery_ids)
    assert set(Delivery.objects.values_list("status", "attempt_count")) == {(Status.DELIVERED, 1)}


def test_runs_at_the_same_time_share_the_work(account: Account) -> None:
    size = 3 * MOST_PER_RECEIVER
    with receiver(replies(200)) as server, ThreadPoolExecutor(2) as threads:
        backlog(account, server, 1, size)

        runs = [threads.submit(run_in_thread) for _ in range(2)]

        assert sum(run.result(30) for run in runs) == size
        assert server.requests.qsize() == size


def test_nothing_due_is_nothing_done_nor_made_ready(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(deliveries, "Curl")
    assert deliveries.deliver_due(clock, Event()) == 0


def test_a_hanging_receiver_delays_no_other_and_takes_its_share_only(account: Account) -> None:
    released = Event()
    with (
        receiver(hangs(released)) as hanging,
        receiver(replies(200)) as healthy,
        ThreadPoolExecutor(1) as thread,
    ):
        backlog(account, hanging, 1, MOST_PER_RECEIVER + 1)
        run = thread.submit(run_in_thread)
        for _ in range(MOST_PER_RECEIVER):
            hanging.requests.get(timeout=10)

        backlog(account, healthy, 2, MOST_PER_RECEIVER + 1)  # due only while the run waits for the other
        for _ in range(MOST_PER_RECEIVER + 1):
            healthy.requests.get(timeout=5)

        assert hanging.requests.empty()
        released.set()
        assert run.result(30) == 2 * (MOST_PER_RECEIVER + 1)


def test_an_attempt_is_recorded_while_a_slower_one_is_on_its_way(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, recorded = Event(), Event()

    def record(claim: Claim, outcome: AttemptOutcome, now: datetime) -> bool:
        result = record_attempt(claim, outcome, now)
        recorded.set()
        return result

    monkeypatch.setattr(deliveries, "record_attempt", record)
    with (
        receiver(hangs(released)) as hanging,
        receiver(replies(200)) as healthy,
        ThreadPoolExecutor(1) as thread,
    ):
        backlog(account, hanging, 1, 1)
        backlog(account, healthy, 2, 1)
        run = thread.submit(run_in_thread)

        assert recorded.wait(10)
        assert dict(Delivery.objects.values_list("subject_id", "status")) == {1: "pending", 2: "delivered"}
        released.set()
        assert run.result(30) == 2


def test_no_transaction_is_open_while_a_delivery_is_sent(account: Account) -> None:
    released = Event()
    with receiver(hangs(released)) as hanging, ThreadPoolExecutor(1) as thread:
        backlog(account, hanging, 1, 1)
        run = thread.submit(run_in_thread)
        hanging.requests.get(timeout=10)

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone() == (0,)
        released.set()
        run.result(30)


def test_one_delivery_that_cannot_be_recorded_leaves_the_others(
    account: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def record(claim: Claim, outcome: AttemptOutcome, now: datetime) -> bool:
        if claim.delivery_id == odd.pk:
            raise DatabaseError("this one")
        return record_attempt(claim, outcome, now)

    with receiver(replies(200)) as server, caplog.at_level(logging.ERROR):
        backlog(account, server, 1, 3)
        odd = Delivery.objects.order_by("pk")[1]
        monkeypatch.setattr(deliveries, "record_attempt", record)

        assert deliveries.deliver_due(clock, Event()) == 3

    assert Delivery.objects.filter(status=Status.DELIVERED).count() == 2
    assert "this one" in caplog.text


def test_a_run_that_is_to_stop_ends_what_it_began_and_claims_no_more(account: Account) -> None:
    stopping = Event()

    def answer(handler: Handler) -> None:
        stopping.set()
        replies(200)(handler)

    with receiver(answer) as server:
        backlog(account, server, 1, MOST_PER_RECEIVER + 1)

        assert deliveries.deliver_due(clock, stopping) == MOST_PER_RECEIVER
        assert deliveries.deliver_due(clock, stopping) == 0

    assert Delivery.objects.filter(status=Status.DELIVERED).count() == MOST_PER_RECEIVER
