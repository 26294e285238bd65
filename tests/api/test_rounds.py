"""Receipts: why there was an alert, and why there was none."""

from __future__ import annotations

import pytest

from incidents import records
from incidents.confirmation import settle
from incidents.models import Round
from tests.api.conftest import ApiClient
from tests.make import NOW, live, monitor, result

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "send", lambda batch: None)


def test_a_receipt_shows_who_was_asked_what_they_saw_and_what_followed(alice: ApiClient) -> None:
    live()
    made = monitor(alice.account)
    settle(result(made, "down", "eu", address="127.0.0.1", family=4, ttfb_ms=3.2), NOW)
    _, body = alice.get(f"/monitors/{made.pk}/rounds")
    open_round = body["rounds"][0]
    assert (open_round["verdict"], open_round["closed_at"], open_round["transition"]) == (None, None, None)
    id_ = Round.objects.get().pk
    settle(result(made, "down", "us", round_id=id_), NOW)
    status, body = alice.get(f"/monitors/{made.pk}/rounds")
    assert (status, body["total"], body["limit"], body["offset"]) == (200, 1, 50, 0)
    instant = "2026-11-21T12:00:00.000000Z"
    seen = {"timestamp": instant, "status_code": 503, "error_class": "http_5xx", "total_ms": 12}
    asked = {"attempt": 1, "asked_at": instant}
    assert body["rounds"] == [
        {
            "id": id_,
            "monitor_id": made.pk,
            "scheduled_at": instant,
            "opened_at": instant,
            "closed_at": instant,
            "mode": "2-of-3",
            "verdict": "down",
            "votes": [
                {
                    "region": "EU",
                    "outcome": "down",
                    "address": "127.0.0.1",
                    "family": 4,
                    "ttfb_ms": 3,
                    **asked,
                    **seen,
                },
                {"region": "US", "outcome": "down", **asked, **seen},
                {"region": "AP", "outcome": None, **asked},
            ],
            "transition": {"sequence": 1, "from": "up", "to": "down"},
            "regional_failures": [],
        }
    ]


def test_a_verdict_not_to_alert_has_a_receipt_as_well(alice: ApiClient) -> None:
    live()
    made = monitor(alice.account)
    settle(result(made, "down", "eu"), NOW)
    for region in ("us", "ap"):
        settle(result(made, "up", region, round_id=Round.objects.get().pk), NOW)
    receipt = alice.get(f"/monitors/{made.pk}/rounds")[1]["rounds"][0]
    assert (receipt["verdict"], receipt["transition"], receipt["regional_failures"]) == ("up", None, ["EU"])
    state = alice.get(f"/monitors/{made.pk}")[1]["state"]
    failure = {"region": "EU", "since": "2026-11-21T12:00:00.000000Z", "error_class": "http_5xx"}
    assert (state["status"], state["regional_failures"]) == ("up", [failure])


def test_they_are_paged_and_anothers_are_not_found(alice: ApiClient, bob: ApiClient) -> None:
    path = f"/monitors/{monitor(bob.account).pk}/rounds"
    assert alice.get(path) == (404, {"error": "monitor not found"})
    assert bob.get(f"{path}?limit=0") == (400, {"error": "limit must be between 1 and 100"})
    assert bob.get(path) == (200, {"rounds": [], "total": 0, "limit": 50, "offset": 0})
