"""Limits on the wire: headers on every answer, the contract's 429s, and nothing refused without Redis."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as configured
from django.http import HttpResponse
from django.test import Client
from redis import Redis

from accounts import limits
from accounts.models import Account, ApiKey
from api.limits import RateLimits
from api.views.monitors import MonitorList
from monitors.models import Monitor
from tests.api.conftest import ApiClient
from tests.make import NOW

LIST = "/api/v1/monitors"
TCP = {"name": "port", "url": "tcp://127.0.0.1:9", "type": "tcp"}


def shown(response: Any) -> tuple[int, int, int]:
    """A response's limit, what remains, and the seconds until the reset."""
    limit, remaining, reset = (
        int(response[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")
    )
    return limit, remaining, reset - int(time.time())


def assert_refused(response: Any, sentence: str) -> None:
    """As the contract words it, less what the test itself took of the minute."""
    seconds = response["Retry-After"]
    assert (response.status_code, response["Content-Type"]) == (429, "application/json")
    assert response.json() == {"error": f"{sentence}; retry in {seconds}s"}
    assert 30 < int(seconds) <= 60


def create(client: ApiClient, **change: str) -> Any:
    return client.http.post(LIST, TCP | change, content_type="application/json")


def test_headers_count_down_for_each_account_alone(alice: ApiClient, bob: ApiClient) -> None:
    assert [shown(alice.http.get(LIST))[:2] for _ in range(3)] == [(200, 199), (200, 198), (200, 197)]
    limit, remaining, seconds = shown(bob.http.get(LIST))
    assert (limit, remaining) == (200, 199)
    assert 30 < seconds <= 61


def break_the_list(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MonitorList, "get", lambda *_: 1 / 0)


@pytest.mark.parametrize(
    ("method", "path", "status", "before"),
    [
        ("GET", "monitors", 200, None),
        ("HEAD", "monitors", 200, None),
        ("OPTIONS", "monitors", 200, None),
        ("GET", "monitors/abc", 400, None),
        ("GET", "monitors/7", 404, None),
        ("PATCH", "monitors", 405, None),
        ("GET", "nothing", 404, None),
        ("GET", "", 404, None),
        ("GET", "monitors", 500, break_the_list),
        ("GET", "monitors", 401, lambda _: ApiKey.objects.all().delete()),
        ("GET", "monitors", 403, lambda _: Account.objects.update(suspended_at=NOW)),
        ("GET", "monitors", 403, lambda _: ApiKey.objects.update(scopes=["incidents:read"])),
        ("GET", "monitors", 429, lambda patch: patch.setattr(configured, "API_REQUESTS_PER_MINUTE", 1)),
    ],
)
def test_every_answer_carries_them(
    alice: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    status: int,
    before: Callable[[pytest.MonkeyPatch], object] | None,
) -> None:
    if before:
        before(monkeypatch)
    if status == 429:
        alice.get("/monitors")
    response = alice.http.generic(method, f"/api/v1/{path}")
    assert response.status_code == status
    assert shown(response)[1] == (0 if status == 429 else 199)


def test_what_is_not_the_api_carries_none() -> None:
    assert not any(name.startswith("X-RateLimit") for name in Client().get("/healthz").headers)


def test_one_request_too_many_is_refused_before_any_work(alice: ApiClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    for _ in range(2):
        alice.get("/monitors")
    response = create(alice)
    assert_refused(response, "account rate limit exceeded")
    limit, remaining, seconds = shown(response)
    assert (limit, remaining) == (2, 0)
    assert 30 < seconds <= 61
    assert not Monitor.objects.exists()


def test_a_key_without_the_scope_spends_as_well(alice: ApiClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    ApiKey.objects.update(scopes=["incidents:read"])
    assert alice.get("/monitors")[0] == 403
    assert alice.get("/incidents")[0] == 429


def test_creations_have_a_cap_of_their_own(alice: ApiClient, bob: ApiClient, settings: Any) -> None:
    settings.MONITOR_CREATIONS_PER_MINUTE = 2
    assert [create(alice).status_code, create(alice, name="").status_code] == [200, 400]
    response = create(alice, url="tcp://127.0.0.1:10")
    assert_refused(response, "monitor creation rate limit exceeded")
    assert shown(response)[:2] == (200, 197)
    assert alice.get("/monitors")[0] == 200
    assert create(bob).status_code == 200
    assert Monitor.objects.filter(account=alice.account).count() == 1


def test_who_has_no_key_is_counted_by_address(alice: ApiClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    client = Client()
    assert [client.get(LIST).status_code, client.get("/api/v1/nothing").status_code] == [401, 404]
    response = client.get(LIST)
    assert_refused(response, "address rate limit exceeded")
    assert shown(response)[:2] == (2, 0)
    assert client.get(LIST, REMOTE_ADDR="192.0.2.7").status_code == 401
    assert alice.get("/monitors")[0] == 200


def test_no_header_makes_another_address(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    for number in range(2):
        response = Client(headers={"X-Forwarded-For": f"192.0.2.{number}"}).get("/api/v1/nothing")
    assert response.status_code == 429


@pytest.mark.parametrize("status", [200, 302, 500, 503])
def test_a_429_hides_neither_work_that_was_done_nor_our_own_failure(
    rf: Any, settings: Any, status: int
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    layer = RateLimits(lambda request: HttpResponse(status=status))
    answers = [layer(rf.post("/api/v1/other")) for _ in range(2)]
    assert [(each.status_code, shown(each)[1]) for each in answers] == [(status, 0), (status, 0)]


def test_limits_of_nought_are_none(alice: ApiClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = settings.MONITOR_CREATIONS_PER_MINUTE = 0
    responses = [create(alice) for _ in range(25)]
    assert {each.status_code for each in responses} == {200, 409}
    assert "X-RateLimit-Limit" not in responses[0].headers


def test_without_redis_requests_go_on_and_it_is_logged_once(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = limits.Limiter("unix:///nowhere/redis.sock")
    monkeypatch.setattr(limits, "limiter", lambda: away)
    responses = [create(alice), alice.http.get(LIST), Client().get(LIST)]
    assert [each.status_code for each in responses] == [200, 200, 401]
    assert {shown(each)[:2] for each in responses} == {(200, 200)}
    assert caplog.text.count("limits.redis_away") == 1


def test_a_read_asks_redis_once_and_a_creation_twice(alice: ApiClient) -> None:
    def asked() -> int:
        with Redis.from_url(configured.REDIS_URL) as redis:
            stats: Any = redis.info("commandstats")
        return int(stats["cmdstat_evalsha"]["calls"])

    create(alice)
    before = asked()
    alice.get("/monitors")
    after_read = asked()
    create(alice)
    assert (after_read - before, asked() - after_read) == (1, 2)


@pytest.mark.django_db
def test_readers_of_feeds_are_counted_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configured, "API_REQUESTS_PER_MINUTE", 2)
    seen = [Client().get(path).status_code for path in ("/feed.xml", "/feed/wrong/rss")]
    assert seen == [200, 404]
    assert_refused(Client().get("/feed/shared/wrong"), "address rate limit exceeded")
    assert Client(REMOTE_ADDR="192.0.2.1").get("/feed.xml").status_code == 200
    assert Client().get("/healthz").status_code == 200


def test_an_account_may_have_a_limit_of_its_own(alice: ApiClient) -> None:
    Account.objects.update(requests_per_minute=2)
    assert [alice.http.get(LIST).status_code for _ in range(3)] == [200, 200, 429]
    assert alice.http.get(LIST)["X-RateLimit-Limit"] == "2"
