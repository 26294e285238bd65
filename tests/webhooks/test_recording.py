from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from tests.webhooks.conftest import NOW, publish_delivery
from webhooks.claiming import LEASE, Claim, claim_deliveries
from webhooks.models import Attempt, Delivery, Status, Webhook
from webhooks.outcome import AttemptOutcome
from webhooks.recording import record_attempt

OK = AttemptOutcome(duration_ms=12, status_code=204)
TIMEOUT = AttemptOutcome(duration_ms=10_000, error_class="timeout", error="no answer in 10 s")
ENDED = NOW + timedelta(seconds=10)


def failed(code: int) -> AttemptOutcome:
    return AttemptOutcome(duration_ms=12, status_code=code, response_head="no")


@pytest.fixture
def delivery(webhook: Webhook) -> Delivery:
    return publish_delivery(webhook)


@pytest.fixture
def claim(delivery: Delivery) -> Claim:
    [claim] = claim_deliveries(NOW, 10)
    return claim


def test_a_2xx_ends_the_delivery(delivery: Delivery, claim: Claim) -> None:
    assert record_attempt(claim, OK, ENDED)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == (Status.DELIVERED, 1)
    assert (delivery.last_attempt_at, delivery.last_response_code) == (NOW, 204)
    assert delivery.lease_until is None


@pytest.mark.parametrize("outcome", [failed(500), failed(302), failed(404), TIMEOUT])
def test_anything_else_is_tried_again(delivery: Delivery, claim: Claim, outcome: AttemptOutcome) -> None:
    record_attempt(claim, outcome, ENDED)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == (Status.RETRYING, 1)
    assert delivery.last_response_code == outcome.status_code
    assert delivery.next_attempt_at == ENDED + timedelta(minutes=1)


def test_a_receiver_that_is_busy_is_left_alone_for_as_long_as_it_asks(
    delivery: Delivery, claim: Claim
) -> None:
    record_attempt(claim, AttemptOutcome(duration_ms=5, status_code=429, retry_after="90"), ENDED)

    delivery.refresh_from_db()
    assert delivery.next_attempt_at == ENDED + timedelta(seconds=90)


def test_a_2xx_whose_answer_did_not_end_in_time_is_tried_again(delivery: Delivery, claim: Claim) -> None:
    record_attempt(claim, AttemptOutcome(duration_ms=10_000, status_code=200, error_class="timeout"), ENDED)

    delivery.refresh_from_db()
    assert delivery.status == Status.RETRYING


def test_a_410_ends_the_delivery_at_once(delivery: Delivery, claim: Claim) -> None:
    record_attempt(claim, failed(410), ENDED)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == (Status.FAILED, 1)


def test_five_failures_in_the_contracts_rhythm_end_the_delivery(delivery: Delivery) -> None:
    now, waits = NOW, []
    while claims := claim_deliveries(now, 10):
        record_attempt(claims[0], failed(500), now)
        delivery.refresh_from_db()
        waits.append(delivery.next_attempt_at - now)
        now = delivery.next_attempt_at

    assert waits == [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 0)]
    assert (delivery.status, delivery.attempt_count) == (Status.FAILED, 5)
    assert list(delivery.attempts.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5]


def test_an_attempt_is_logged_as_it_was(delivery: Delivery, claim: Claim) -> None:
    record_attempt(claim, failed(503), ENDED)

    attempt = Attempt.objects.get()
    assert (attempt.delivery_id, attempt.number, attempt.started_at) == (delivery.pk, 1, NOW)
    assert (attempt.duration_ms, attempt.status_code, attempt.response_head) == (12, 503, "no")


def test_a_record_after_the_lease_counts_while_nobody_else_claimed(delivery: Delivery, claim: Claim) -> None:
    assert record_attempt(claim, OK, NOW + 10 * LEASE)

    delivery.refresh_from_db()
    assert delivery.status == Status.DELIVERED


@pytest.mark.parametrize("outcome", [OK, failed(500)])
def test_a_record_of_a_lost_lease_changes_nothing_but_is_logged(
    delivery: Delivery, claim: Claim, outcome: AttemptOutcome, caplog: pytest.LogCaptureFixture
) -> None:
    [winner] = claim_deliveries(claim.lease_until, 10)

    with caplog.at_level(logging.WARNING):
        assert not record_attempt(claim, outcome, ENDED)
        assert record_attempt(winner, failed(500), ENDED)
        assert not record_attempt(claim, outcome, ENDED)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == (Status.RETRYING, 1)
    assert Attempt.objects.count() == 1
    lost = [vars(record) for record in caplog.records if record.message == "delivery.lease_lost"]
    assert [(each["delivery"], each["attempt"]) for each in lost] == [(delivery.pk, 1)] * 2
