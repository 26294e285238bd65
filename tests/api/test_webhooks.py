"""A monitor's webhook slot."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitors.models import MonitorState
from tests.api.conftest import ApiClient
from tests.make import NOW, monitor
from webhooks.models import Event, Webhook

URL = "http://127.0.0.1:9/hook"


def test_it_is_set_read_replaced_and_removed(alice: ApiClient) -> None:
    path = f"/monitors/{(made := monitor(alice.account)).pk}/webhook"
    assert alice.get(path) == (404, {"error": "webhook not found"})
    status, first = alice.put(path, {"url": URL})
    assert status == 200
    assert set(first) == {"id", "monitor_id", "url", "secret", "created_at"}
    assert (first["monitor_id"], first["url"]) == (made.pk, URL)
    assert re.fullmatch(r"whs_live_[A-Za-z0-9]{32,}", first["secret"])
    assert alice.get(path) == (200, first)
    assert alice.put(path, {"url": URL + "2"}) == (200, first | {"url": URL + "2"})
    assert alice.delete(path) == (204, None)
    assert alice.delete(path) == (404, {"error": "webhook not found"})
    assert alice.put(path, {"url": URL})[1]["secret"] != first["secret"]


def test_a_disabled_one_says_why_and_is_enabled_by_setting_it_again(alice: ApiClient) -> None:
    path = f"/monitors/{monitor(alice.account).pk}/webhook"
    _, before = alice.put(path, {"url": URL})
    Webhook.objects.update(disabled_at=NOW, disabled_reason="the receiver answered 410 Gone")
    assert alice.get(path)[1] == before | {
        "disabled_at": "2026-11-21T12:00:00.000000Z",
        "disabled_reason": "the receiver answered 410 Gone",
    }
    assert alice.put(path, {"url": URL}) == (200, before)


def test_its_secret_is_not_in_the_database(alice: ApiClient) -> None:
    _, body = alice.put(f"/monitors/{monitor(alice.account).pk}/webhook", {"url": URL})
    assert body["secret"] not in str(Webhook.objects.values().get())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "url is required"),
        ({"url": None}, "url is required"),
        ({"url": 1}, "url must be a string"),
        ({"url": "http://10.0.0.5/"}, "url rejected: ip 10.0.0.5 is in a blocked range"),
        ({"url": "http://no-such-host.invalid/"}, "url rejected: host does not resolve"),
        ({"url": "ftp://127.0.0.1/"}, "url is invalid: the scheme must be http or https"),
        ([], "invalid request body"),
    ],
)
def test_a_bad_url_is_refused_and_what_was_set_stays(alice: ApiClient, body: Any, message: str) -> None:
    path = f"/monitors/{monitor(alice.account).pk}/webhook"
    _, before = alice.put(path, {"url": URL})
    assert alice.put(path, body) == (400, {"error": message})
    assert alice.get(path) == (200, before)


def test_events_that_nobody_gets_unasked_are_asked_for_and_kept(alice: ApiClient) -> None:
    path = f"/monitors/{monitor(alice.account).pk}/webhook"
    asked = ["monitor.down", "monitor.regional"]
    assert alice.put(path, {"url": URL, "events": asked[::-1]})[1]["events"] == asked
    assert alice.put(path, {"url": URL + "2"})[1]["events"] == asked
    assert "events" not in alice.put(path, {"url": URL, "events": None})[1]


@pytest.mark.parametrize("events", ["monitor.down", ["monitor.sideways"], [7], [["monitor.down"]]])
def test_unknown_events_are_refused_with_those_that_there_are(alice: ApiClient, events: Any) -> None:
    path = f"/monitors/{monitor(alice.account).pk}/webhook"
    known = (
        "monitor.down, monitor.up, monitor.flapping, monitor.cert_expiring, monitor.regional, "
        "server.gone, server.back"
    )
    assert alice.put(path, {"url": URL, "events": events}) == (
        400,
        {"error": f"events must be a list of some of: {known}"},
    )


def test_a_test_sends_a_sample_and_changes_no_state(alice: ApiClient) -> None:
    made = monitor(alice.account)
    path = f"/monitors/{made.pk}/webhook"
    assert alice.post(f"{path}/test", None) == (404, {"error": "webhook not found"})
    alice.put(path, {"url": URL, "events": ["monitor.down"]})
    before = MonitorState.objects.values().get()
    status, body = alice.post(f"{path}/test", None)
    delivery = body["delivery"]
    assert (status, delivery["event_type"], delivery["status"]) == (200, "webhook.test", "pending")
    assert alice.get(f"/webhook-deliveries/{delivery['id']}") == (200, body)
    assert MonitorState.objects.values().get() == before
    payload = json.loads(Event.objects.get().payload)
    assert payload.pop("occurred_at")
    assert payload == {
        "event": "webhook.test",
        "monitor_id": made.pk,
        "monitor_name": made.name,
        "monitor_url": made.url,
        "account_id": alice.account.pk,
    }


def test_tests_of_a_webhook_come_one_in_ten_seconds(alice: ApiClient) -> None:
    path = f"/monitors/{monitor(alice.account).pk}/webhook"
    alice.put(path, {"url": URL})
    alice.post(f"{path}/test", None)
    status, body = alice.post(f"{path}/test", None)
    assert status == 429
    assert re.fullmatch(r"too many tests for this webhook; retry in (10|9|8)s", body["error"])
    assert Event.objects.count() == 1


def test_a_disabled_webhook_is_not_tested(alice: ApiClient) -> None:
    path = f"/monitors/{monitor(alice.account).pk}/webhook"
    alice.put(path, {"url": URL})
    Webhook.objects.update(disabled_at=NOW)
    assert alice.post(f"{path}/test", None) == (409, {"error": "webhook is disabled"})


def test_a_rotation_gives_a_new_secret_and_says_how_long_the_old_one_signs(alice: ApiClient) -> None:
    path = f"/monitors/{monitor(alice.account).pk}/webhook"
    assert alice.post(f"{path}/rotate", None) == (404, {"error": "webhook not found"})
    _, before = alice.put(path, {"url": URL})
    status, after = alice.post(f"{path}/rotate", None)
    until = datetime.fromisoformat(after.pop("previous_secret_until"))
    assert (status, after) == (200, before | {"secret": after["secret"]})
    assert after["secret"] != before["secret"]
    assert timedelta(hours=23, minutes=59) < until - timezone.now() <= timedelta(hours=24)
    assert alice.get(path)[1]["secret"] == after["secret"]
