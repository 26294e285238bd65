from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from tests.webhooks.conftest import NOW, SUBJECT, publish_delivery
from webhooks import services, tasks
from webhooks.claiming import claim_deliveries
from webhooks.models import Attempt, Delivery, Event, Status, Webhook
from webhooks.outcome import AttemptOutcome
from webhooks.recording import record_attempt
from webhooks.retention import RETENTION, forget_old

SECOND = timedelta(seconds=1)


@pytest.fixture
def delivery(webhook: Webhook) -> Delivery:
    return publish_delivery(webhook)


def finish(delivery: Delivery, status_code: int) -> None:
    Delivery.objects.update(attempt_count=4)
    [claim] = claim_deliveries(NOW, 1)
    record_attempt(claim, AttemptOutcome(duration_ms=5, status_code=status_code), NOW)


@pytest.mark.parametrize("status_code", [204, 500])
def test_a_finished_delivery_is_forgotten_with_its_event(delivery: Delivery, status_code: int) -> None:
    finish(delivery, status_code)

    forget_old(NOW + RETENTION)
    assert Attempt.objects.exists()

    forget_old(NOW + RETENTION + SECOND)
    assert not Attempt.objects.exists()
    assert not Event.objects.exists()


def test_what_is_still_to_be_delivered_stays(delivery: Delivery) -> None:
    forget_old(NOW + 2 * RETENTION)

    assert Delivery.objects.get().status == Status.PENDING


def test_an_event_that_nobody_was_told_goes_as_well(webhook: Webhook, delivery: Delivery) -> None:
    delivery.delete()

    forget_old(NOW + RETENTION + SECOND)

    assert not Event.objects.exists()


def test_a_secret_that_signs_no_more_is_not_kept(webhook: Webhook) -> None:
    services.rotate_secret(account_id=webhook.account_id, subject_id=SUBJECT, now=NOW)

    forget_old(NOW + services.OVERLAP - SECOND)
    assert Webhook.objects.get().previous_secret

    forget_old(NOW + services.OVERLAP)
    webhook.refresh_from_db()
    assert (webhook.previous_secret, webhook.previous_secret_until) == ("", None)


def test_the_task_goes_by_the_clock_and_is_run_by_beat(delivery: Delivery) -> None:
    finish(delivery, 204)
    Delivery.objects.update(next_attempt_at=NOW - 100 * RETENTION)
    Event.objects.update(created_at=NOW - 100 * RETENTION)

    tasks.forget_old()

    assert not Event.objects.exists()
    assert "webhooks.forget_old" in settings.CELERY_BEAT_SCHEDULE
