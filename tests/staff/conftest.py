"""A small world with a row of every kind, made the way the code makes them, and staff to look at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.feeds import ensure_token
from accounts.keys import issue_key
from accounts.models import Account, ApiKey, FeedToken
from accounts.servers import add_server
from api.http_auth import auth_options
from api.models import NewsItem
from incidents.confirmation import settle
from incidents.models import Incident
from monitors.evidence import record_evidence
from monitors.models import KillSwitch, Monitor, OperatorEvent, OptOut, RegionalFailure
from tests.make import account, live, monitor, result, seconds
from webhooks.claiming import claim_deliveries
from webhooks.models import Delivery, Webhook
from webhooks.outcome import AttemptOutcome
from webhooks.recording import record_attempt
from webhooks.services import rotate_secret, set_webhook

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Django's own hasher is slow on purpose, and staff sign in again and again."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


CREDENTIALS = {
    "http_auth_type": "basic",
    "http_auth_username": "ana",
    "http_auth_password": "hunter2-hunter2",
}


@dataclass
class World:
    now: datetime
    account: Account
    key: ApiKey
    monitor: Monitor
    webhook: Webhook
    delivery: Delivery
    incident: Incident
    secrets: dict[str, str]
    """What no page may show, by what it is."""


@pytest.fixture
def world(db: None) -> World:
    """An account whose monitor has just gone down, with a delivery that failed."""
    now = timezone.now() - seconds(5)
    live(now=timezone.now())
    owner = account("alice & co")
    key, plain_key = issue_key(owner, "first key", now)
    options = {"expected_status": 200, "headers": [["X-Token", "header-secret"]]}
    made = monitor(owner, name="the shop", options=options | auth_options(CREDENTIALS, owner.pk), now=now)
    set_webhook(account_id=owner.pk, subject_id=made.pk, url="http://127.0.0.1:9/hook", now=now)
    webhook = rotate_secret(account_id=owner.pk, subject_id=made.pk, now=now)
    assert webhook
    go_down(made, now)
    [claim] = claim_deliveries(now + seconds(2), 1)
    record_attempt(claim, AttemptOutcome(5, status_code=410, response_head="gone <b>away</b>"), now)
    Webhook.objects.update(disabled_at=None)  # a 410 disables it
    operate(made, now)
    feed_token = ensure_token(owner, FeedToken.Kind.INCIDENTS, now)
    server, enrolment_token = add_server(owner, "web-01", now)
    secrets = {"key": plain_key, "digest": key.digest, "feed token": feed_token} | {
        "sealed feed token": owner.feed_tokens.get().sealed,
        "webhook secret": webhook.secret,
        "previous secret": webhook.previous_secret,
        "sealed credentials": made.options["auth"]["token"],
        "header": "header-secret",
        "enrolment token": enrolment_token,
        "digest of the enrolment token": server.token_digest or "",
    }
    return World(now, owner, key, made, webhook, Delivery.objects.get(), Incident.objects.get(), secrets)


def go_down(made: Monitor, now: datetime) -> None:
    """A dissent, and the votes of the two others."""
    seen = result(made, "down", at=now, address="127.0.0.1", error="a <script>")
    record_evidence([seen])
    settle(seen, now)
    round_ = made.rounds.get()
    for region in ("us", "ap"):
        vote = result(made, "down", region, at=now, round_id=round_.pk, address="127.0.0.1")
        settle(vote, now + seconds(1))


def operate(made: Monitor, now: datetime) -> None:
    """What only the operator has."""
    RegionalFailure.objects.create(
        state_id=made.pk, region="ap", since=now, seen_at=now, error_class="tls_expired"
    )
    KillSwitch.objects.create(reason="abuse of all kinds")
    OptOut.objects.create(domain="example.com", note="asked by mail")
    OperatorEvent.objects.create(kind="region.ap", detail="silent for long", began_at=now)
    NewsItem.objects.create(title="Maintenance", text="On Sunday.", published_at=now)


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("op", "op@example.com", PASSWORD)


@pytest.fixture
def desk(staff: User, client: Client) -> Client:
    """A member of staff at work."""
    client.force_login(staff)
    return client
