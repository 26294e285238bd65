"""Rotating a secret: requests verified by the standard's own library, in the overlap and after it."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from threading import Event as Stop

import pytest
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from accounts.models import Account
from tests.webhooks.conftest import SUBJECT, make_webhook, publish_delivery, secret_of
from tests.webhooks.receivers import Request, receiver, replies
from webhooks import deliveries, services
from webhooks.models import Webhook
from webhooks.signing import signature

pytestmark = pytest.mark.django_db(transaction=True)


def request_at(webhook: Webhook, now: datetime) -> Request:
    """What a receiver gets of an event of this moment."""
    with receiver(replies(204)) as server:
        Webhook.objects.update(url=server.url)
        publish_delivery(webhook, str(now), now)
        deliveries.deliver_due(lambda: now, Stop())
        return server.requests.get(timeout=10)


def rotate(webhook: Webhook, now: datetime) -> Webhook:
    rotated = services.rotate_secret(account_id=webhook.account_id, subject_id=SUBJECT, now=now)
    assert rotated is not None
    return rotated


def verifies(request: Request, secret: str) -> bool:
    verifier = Verifier("whsec_" + base64.b64encode(secret.encode()).decode())
    try:
        verifier.verify(request.body, dict(request.headers.items()))
    except WebhookVerificationError:
        return False
    return True


def test_the_library_takes_a_request_as_it_arrives_and_no_other(account: Account) -> None:
    webhook = make_webhook(account)
    request = request_at(webhook, timezone.now())

    assert verifies(request, secret_of(webhook))
    assert not verifies(request, "whs_live_another")
    assert not verifies(Request(request.path, request.headers, request.body + b" "), secret_of(webhook))


def test_both_secrets_verify_for_a_day_and_then_the_new_one_alone(account: Account) -> None:
    webhook, now = make_webhook(account), timezone.now()
    rotated = rotate(webhook, now - services.OVERLAP + timedelta(seconds=1))
    old, new = secret_of(webhook), secret_of(rotated)

    during, after = request_at(rotated, now), request_at(rotated, now + timedelta(seconds=1))

    assert [verifies(during, old), verifies(during, new)] == [True, True]
    assert [verifies(after, old), verifies(after, new)] == [False, True]
    for request in (during, after):
        assert request.headers["X-UptimeMonitoring-Signature"] == signature(new, request.body)


def test_of_two_rotations_the_first_secret_signs_no_more(account: Account) -> None:
    webhook, now = make_webhook(account), timezone.now()
    second = rotate(webhook, now)
    third = rotate(webhook, now)

    request = request_at(webhook, now)

    verified = [verifies(request, secret_of(each)) for each in (webhook, second, third)]
    assert verified == [False, True, True]
