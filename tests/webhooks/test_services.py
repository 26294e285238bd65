from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Account
from probes.vault import VaultError
from tests.beside import apart, wait_until_blocked
from tests.webhooks.conftest import NOW, SUBJECT, make_webhook, publish_delivery, secret_of
from webhooks import services
from webhooks.claiming import claim_deliveries
from webhooks.models import Attempt, Delivery, Event, Status, Webhook
from webhooks.outcome import AttemptOutcome
from webhooks.recording import record_attempt


def remove(webhook: Webhook) -> bool:
    return services.remove_webhook(account_id=webhook.account_id, subject_id=webhook.subject_id)


def test_a_new_webhook_has_a_secret_that_is_not_stored_as_it_is(webhook: Webhook) -> None:
    assert secret_of(webhook).startswith("whs_live_")
    assert secret_of(webhook) not in webhook.secret
    assert webhook.created_at == NOW


def test_replacing_the_url_keeps_id_secret_and_creation(account: Account, webhook: Webhook) -> None:
    replaced = services.set_webhook(
        account_id=account.pk, subject_id=SUBJECT, url="https://b.example", now=NOW + timedelta(days=1)
    )

    assert (replaced.pk, secret_of(replaced)) == (webhook.pk, secret_of(webhook))
    assert (replaced.url, replaced.created_at) == ("https://b.example", NOW)


def test_removing_and_setting_again_changes_the_secret(account: Account, webhook: Webhook) -> None:
    remove(webhook)

    assert secret_of(make_webhook(account)) != secret_of(webhook)


def test_a_webhook_of_another_account_does_not_exist(webhook: Webhook) -> None:
    other = Account.objects.create(name="Other", created_at=NOW)

    assert services.get_webhook(account_id=other.pk, subject_id=SUBJECT) is None
    assert not services.remove_webhook(account_id=other.pk, subject_id=SUBJECT)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_webhook(other)
    assert services.get_webhook(account_id=webhook.account_id, subject_id=SUBJECT) == webhook


def test_a_secret_moved_to_another_account_does_not_open(webhook: Webhook) -> None:
    webhook.account = Account.objects.create(name="Other", created_at=NOW)

    with pytest.raises(VaultError):
        _ = secret_of(webhook)


def test_no_text_of_a_webhook_shows_its_credentials(webhook: Webhook) -> None:
    for text in (str(webhook), repr(webhook)):
        assert webhook.url not in text
        assert webhook.secret not in text


@pytest.mark.django_db(transaction=True)
def test_two_requests_for_a_first_webhook_make_one(account: Account) -> None:
    together = Barrier(2)

    def setter(_: int) -> tuple[int, str]:
        try:
            together.wait(10)
            webhook = make_webhook(account)
            return webhook.pk, secret_of(webhook)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(setter, range(2)))) == 1


def test_removal_ends_open_deliveries_and_the_log_still_names_the_webhook(webhook: Webhook) -> None:
    delivery = publish_delivery(webhook)

    assert remove(webhook)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.webhook_id) == (Status.FAILED, webhook.pk)
    assert claim_deliveries(NOW, 10) == []
    assert not remove(webhook)


@pytest.mark.parametrize(("code", "status"), [(204, Status.DELIVERED), (500, Status.FAILED)])
def test_an_attempt_on_its_way_at_removal_is_recorded_but_not_repeated(
    webhook: Webhook, code: int, status: Status
) -> None:
    delivery = publish_delivery(webhook)
    [claim] = claim_deliveries(NOW, 10)
    remove(webhook)

    assert record_attempt(claim, AttemptOutcome(duration_ms=5, status_code=code), NOW)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == (status, 1)


@pytest.mark.django_db(transaction=True)
def test_a_removal_waits_for_a_publication_and_ends_its_delivery(webhook: Webhook) -> None:
    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            publish_delivery(webhook)
            removed = thread.submit(apart, lambda: remove(webhook))
            wait_until_blocked()
        assert removed.result(10)

    assert Delivery.objects.get().status == Status.FAILED


def test_a_deleted_subject_leaves_no_trace(account: Account, webhook: Webhook) -> None:
    publish_delivery(webhook)
    [claim] = claim_deliveries(NOW, 10)
    kept = publish_delivery(make_webhook(account, SUBJECT + 1), key="other")

    services.remove_subject(SUBJECT)

    assert list(Delivery.objects.all()) == [kept]
    assert [event.key for event in Event.objects.all()] == ["other"]
    assert not record_attempt(claim, AttemptOutcome(duration_ms=5, status_code=200), NOW)
    assert not Attempt.objects.exists()
