from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from accounts.models import Account
from tests.webhooks.conftest import NOW, make_webhook, publish_delivery
from webhooks.claiming import LEASE, MOST_PER_RECEIVER, Claim, claim_deliveries
from webhooks.models import Delivery, Status, Webhook

SECOND = timedelta(seconds=1)


def backlog(webhook: Webhook, size: int) -> None:
    for number in range(size):
        publish_delivery(webhook, key=f"{webhook.subject_id}:{number}")


def publish_to_own_host(account: Account, subject_id: int) -> Delivery:
    webhook = make_webhook(account, subject_id, f"https://{subject_id}.example")
    return publish_delivery(webhook, key=str(subject_id))


def hosts(claims: list[Claim]) -> Counter[str]:
    return Counter(claim.url.split("/")[2] for claim in claims)


def test_a_claim_carries_all_that_an_attempt_needs(webhook: Webhook) -> None:
    delivery = publish_delivery(webhook)

    assert claim_deliveries(NOW, 10) == [
        Claim(
            delivery_id=delivery.pk,
            webhook_id=webhook.pk,
            account_id=webhook.account_id,
            attempt=1,
            url=webhook.url,
            sealed_secrets=[webhook.secret],
            payload=delivery.event.payload,
            claimed_at=NOW,
            lease_until=NOW + LEASE,
        )
    ]


def test_a_claim_does_not_show_credentials_in_its_text(webhook: Webhook) -> None:
    publish_delivery(webhook)
    [claim] = claim_deliveries(NOW, 10)

    assert webhook.url not in repr(claim)
    assert webhook.secret not in repr(claim)


def test_what_is_not_due_is_left(webhook: Webhook) -> None:
    publish_delivery(webhook)

    assert claim_deliveries(NOW - SECOND, 10) == []


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.FAILED])
def test_what_is_finished_is_left(webhook: Webhook, status: Status) -> None:
    publish_delivery(webhook)
    Delivery.objects.update(status=status)

    assert claim_deliveries(NOW, 10) == []


def test_what_is_leased_is_left_until_the_lease_runs_out(webhook: Webhook) -> None:
    publish_delivery(webhook)
    [first] = claim_deliveries(NOW, 10)

    assert claim_deliveries(first.lease_until - SECOND, 10) == []
    [again] = claim_deliveries(first.lease_until, 10)

    assert (again.delivery_id, again.attempt) == (first.delivery_id, 1)
    assert again.lease_until > first.lease_until


def test_a_claim_takes_no_more_than_it_asked_for(account: Account) -> None:
    for subject_id in range(3):
        publish_delivery(
            make_webhook(account, subject_id, f"https://{subject_id}.example"), key=str(subject_id)
        )

    assert len(claim_deliveries(NOW, 2)) == 2
    assert len(claim_deliveries(NOW, 2)) == 1


def test_a_receiver_has_a_few_deliveries_under_way_and_no_more(webhook: Webhook) -> None:
    backlog(webhook, MOST_PER_RECEIVER + 3)

    assert len(claim_deliveries(NOW, 5)) == 5
    assert len(claim_deliveries(NOW, 100)) == MOST_PER_RECEIVER - 5
    assert claim_deliveries(NOW, 100) == []


def test_many_webhooks_to_one_server_are_one_receiver(account: Account) -> None:
    for subject_id in range(MOST_PER_RECEIVER + 1):
        url = f"https://busy.example/{subject_id}"
        publish_delivery(make_webhook(account, subject_id, url), key=str(subject_id))

    assert len(claim_deliveries(NOW, 100)) == MOST_PER_RECEIVER


def test_one_server_is_a_receiver_of_each_account_that_uses_it(account: Account) -> None:
    other = Account.objects.create(name="Other", created_at=NOW)
    backlog(make_webhook(account, 1, "https://busy.example"), MOST_PER_RECEIVER)
    backlog(make_webhook(other, 2, "https://busy.example"), MOST_PER_RECEIVER)

    assert len(claim_deliveries(NOW, 100)) == 2 * MOST_PER_RECEIVER


def test_a_long_backlog_for_one_receiver_leaves_room_for_another(account: Account) -> None:
    backlog(make_webhook(account, 1, "https://busy.example"), 20)
    publish_delivery(make_webhook(account, 2, "https://quiet.example"), key="2:1", now=NOW + SECOND)

    assert hosts(claim_deliveries(NOW + SECOND, 2)) == {"busy.example": 1, "quiet.example": 1}


@pytest.mark.django_db(transaction=True)
def test_claims_at_the_same_instant_share_nothing(account: Account) -> None:
    for subject_id in range(50):
        publish_to_own_host(account, subject_id)
    together = Barrier(4)

    def claimer(_: int) -> list[int]:
        try:
            together.wait(10)
            return [claim.delivery_id for claim in claim_deliveries(NOW, 20)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        claimed = [delivery_id for ids in threads.map(claimer, range(4)) for delivery_id in ids]
    claimed += [claim.delivery_id for claim in claim_deliveries(NOW, 50)]

    assert sorted(claimed) == sorted(Delivery.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_claim_does_not_wait_for_a_row_that_is_being_settled(account: Account) -> None:
    busy = publish_to_own_host(account, 1)
    free = publish_to_own_host(account, 2)

    def claimer() -> list[int]:
        try:
            return [claim.delivery_id for claim in claim_deliveries(NOW, 10)]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread, transaction.atomic():
        Delivery.objects.select_for_update().get(pk=busy.pk)
        assert thread.submit(claimer).result(10) == [free.pk]
