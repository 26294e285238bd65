"""A finished delivery sent again, as the same delivery."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from tests.webhooks.conftest import NOW, make_webhook, publish_delivery
from tests.webhooks.receivers import receiver, replies
from webhooks import services
from webhooks.claiming import LEASE, claim_deliveries
from webhooks.models import Delivery, Status, Webhook
from webhooks.outcome import AttemptOutcome
from webhooks.recording import record_attempt
from webhooks.replaying import NotReplayable, replay
from webhooks.schedule import MOST_ATTEMPTS, RETRY_DELAYS
from webhooks.tasks import deliver_due

OK = AttemptOutcome(duration_ms=5, status_code=204)
ERROR = AttemptOutcome(duration_ms=5, status_code=500)
LATER = NOW + 10 * LEASE


@pytest.fixture
def delivered(webhook: Webhook) -> Delivery:
    delivery = publish_delivery(webhook)
    record_attempt(claim_deliveries(NOW, 1)[0], OK, NOW)
    delivery.refresh_from_db()
    return delivery


def test_a_replayed_delivery_is_due_at_once_and_numbers_on(delivered: Delivery) -> None:
    replayed = replay(delivered, LATER)

    assert (replayed.pk, replayed.status, replayed.next_attempt_at) == (delivered.pk, Status.PENDING, LATER)
    [claim] = claim_deliveries(LATER, 10)
    assert (claim.delivery_id, claim.attempt) == (delivered.pk, 2)


def test_it_has_a_whole_chain_of_attempts_again(delivered: Delivery) -> None:
    now, waits = LATER, []
    replay(delivered, now)
    for _ in range(MOST_ATTEMPTS):
        [claim] = claim_deliveries(now, 10)
        record_attempt(claim, ERROR, now)
        delivered.refresh_from_db()
        waits.append(delivered.next_attempt_at - now)
        now = delivered.next_attempt_at

    assert (delivered.status, delivered.attempt_count) == (Status.FAILED, 1 + MOST_ATTEMPTS)
    assert waits[:-1] == list(RETRY_DELAYS)


def unfinished(delivery: Delivery) -> None:
    Delivery.objects.update(status=Status.RETRYING)


def on_its_way(delivery: Delivery) -> None:
    Delivery.objects.update(status=Status.FAILED, lease_until=LATER + LEASE)


def removed(delivery: Delivery) -> None:
    services.remove_webhook(account_id=delivery.account_id, subject_id=delivery.subject_id)


def disabled(delivery: Delivery) -> None:
    Webhook.objects.update(disabled_at=NOW)


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        (unfinished, "delivery is not finished"),
        (on_its_way, "delivery is not finished"),
        (removed, "the webhook of this delivery was removed"),
        (disabled, "the webhook of this delivery is disabled"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_stays(
    delivered: Delivery, before: Callable[[Delivery], None], sentence: str
) -> None:
    before(delivered)
    rows = list(Delivery.objects.values())

    with pytest.raises(NotReplayable, match=sentence):
        replay(delivered, LATER)

    assert list(Delivery.objects.values()) == rows


@pytest.mark.django_db(transaction=True)
def test_of_two_replays_at_once_one_is_refused(delivered: Delivery) -> None:
    together = Barrier(2)

    def replayer(_: int) -> bool:
        try:
            together.wait(10)
            replay(delivered, LATER)
        except NotReplayable:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(replayer, range(2))) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_the_receiver_gets_the_same_but_for_the_number(account: Account) -> None:
    with receiver(replies(204)) as server:
        delivery = publish_delivery(make_webhook(account, url=server.url), now=timezone.now())
        deliver_due()
        replay(delivery, timezone.now())
        deliver_due()
        first, second = (server.requests.get(timeout=10) for _ in range(2))

    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert second.body == first.body.replace(b'"attempt":1', b'"attempt":2')
