"""The delivery log, over all of an account's webhooks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from accounts.models import Account
from monitors.models import Monitor
from tests.api.conftest import ApiClient
from tests.make import NOW, monitor, seconds
from webhooks.models import Delivery
from webhooks.outbox import publish
from webhooks.services import set_webhook


def deliver(of: Monitor, number: int = 1, **fields: Any) -> Delivery:
    """A delivery of one event of a monitor, created `number` minutes after NOW."""
    set_webhook(account_id=of.account_id, subject_id=of.pk, url="http://127.0.0.1:9/", now=NOW)
    at = NOW + seconds(60 * number)
    with transaction.atomic():
        event = publish(
            account_id=of.account_id,
            subject_id=of.pk,
            type="monitor.down",
            key=f"{of.pk}:{number}",
            payload={"event": "monitor.down"},
            occurred_at=at,
            now=at,
        )
    Delivery.objects.filter(event=event).update(**fields)
    return Delivery.objects.get(event=event)


def test_a_delivery_has_the_contracts_shape(alice: ApiClient) -> None:
    made = monitor(alice.account)
    row = deliver(made, status="delivered", attempt_count=1, last_response_code=200, last_attempt_at=NOW)
    assert alice.get("/webhook-deliveries") == (
        200,
        {
            "deliveries": [
                {
                    "id": row.pk,
                    "webhook_id": row.webhook_id,
                    "monitor_id": made.pk,
                    "account_id": alice.account.pk,
                    "event_type": "monitor.down",
                    "status": "delivered",
                    "attempt_count": 1,
                    "last_response_code": 200,
                    "last_attempt_at": "2026-11-21T12:00:00.000000Z",
                    "next_attempt_at": "2026-11-21T12:01:00.000000Z",
                    "created_at": "2026-11-21T12:01:00.000000Z",
                }
            ],
            "total": 1,
            "limit": 50,
            "offset": 0,
        },
    )


def test_filters_and_pages(alice: ApiClient, bob: ApiClient, django_assert_num_queries: Any) -> None:
    first, second = monitor(alice.account), monitor(alice.account, url="http://127.0.0.1:9/2")
    rows = [deliver(first, 1), deliver(first, 2, status="failed"), deliver(second, 3, status="retrying")]
    deliver(monitor(bob.account), 4)

    def found(query: str) -> list[int]:
        return [each["id"] for each in alice.get(f"/webhook-deliveries?{query}")[1]["deliveries"]]

    ids = [row.pk for row in rows]
    assert found("") == ids[::-1]
    assert found(f"monitor_id={first.pk}") == [ids[1], ids[0]]
    assert found("status=failed") == [ids[1]]
    assert found("since=2026-11-21T12:02:00Z") == [ids[2], ids[1]]
    assert found("limit=1&offset=1") == [ids[1]]
    with django_assert_num_queries(3):
        alice.get("/webhook-deliveries")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("status=lost", "status must be one of: pending, retrying, delivered, failed"),
        ("monitor_id=x", "monitor_id must be an integer"),
        ("since=now", "since must be an RFC 3339 datetime"),
        ("limit=101", "limit must be between 1 and 100"),
    ],
)
def test_a_bad_query_is_refused(alice: ApiClient, query: str, message: str) -> None:
    assert alice.get(f"/webhook-deliveries?{query}") == (400, {"error": message})


def test_the_account_sees_its_usage_against_its_caps(alice: ApiClient) -> None:
    monitor(alice.account)
    status, body = alice.get("/account")
    account: Account = alice.account
    assert status == 200
    assert (body["account"]["id"], body["account"]["name"]) == (account.pk, "alice")
    assert body["usage"] == {"monitors": {"used": 1, "limit": 50}, "api_keys": {"used": 1, "limit": 10}}


def test_one_delivery_has_its_attempts(alice: ApiClient) -> None:
    row = deliver(monitor(alice.account), attempt_count=2)
    failed = {"error_class": "timeout", "error": "no answer before the deadline"}
    row.attempts.create(number=1, started_at=NOW, duration_ms=10_000, **failed)
    answered = {"status_code": 204, "response_head": "thanks"}
    row.attempts.create(number=2, started_at=NOW + seconds(70), duration_ms=12, **answered)
    [listed] = alice.get("/webhook-deliveries")[1]["deliveries"]
    assert alice.get(f"/webhook-deliveries/{row.pk}") == (
        200,
        {
            "delivery": listed
            | {
                "attempts": [
                    {
                        "number": 1,
                        "started_at": "2026-11-21T12:00:00.000000Z",
                        "duration_ms": 10_000,
                        "status_code": None,
                        "error_class": "timeout",
                        "error": "no answer before the deadline",
                        "response_head": "",
                    },
                    {
                        "number": 2,
                        "started_at": "2026-11-21T12:01:10.000000Z",
                        "duration_ms": 12,
                        "status_code": 204,
                        "error_class": None,
                        "error": None,
                        "response_head": "thanks",
                    },
                ]
            }
        },
    )


def test_a_finished_delivery_is_replayed_as_the_same(alice: ApiClient) -> None:
    row = deliver(monitor(alice.account), status="failed", attempt_count=5)
    status, body = alice.post(f"/webhook-deliveries/{row.pk}/replay", None)
    assert status == 200
    assert (body["delivery"]["id"], body["delivery"]["status"]) == (row.pk, "pending")
    assert alice.get(f"/webhook-deliveries/{row.pk}") == (200, body)
    assert alice.post(f"/webhook-deliveries/{row.pk}/replay", None) == (
        409,
        {"error": "delivery is not finished"},
    )


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/replay")])
def test_there_is_no_other_delivery(alice: ApiClient, bob: ApiClient, method: str, tail: str) -> None:
    foreign = deliver(monitor(bob.account), status="failed")
    for text in (str(foreign.pk), "0", "9" * 30):
        assert alice(method, f"/webhook-deliveries/{text}{tail}") == (404, {"error": "delivery not found"})
    assert alice(method, f"/webhook-deliveries/last{tail}") == (400, {"error": "invalid delivery ID"})
