"""What a job calls: no key, a token, maybe a secret; every answer JSON, and committed before it is given."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from redis import Redis

from accounts import limits
from api.heartbeat import PATH
from api.pings import PingsFirst
from api.views import pings
from monitors.models import Evidence, Heartbeat, Monitor, MonitorState
from tests.api.conftest import ApiClient
from tests.make import account, heartbeat

pytestmark = pytest.mark.django_db


def call(path: str, method: str = "POST", secret: str | None = None, **extra: Any) -> tuple[int, Any]:
    headers = {} if secret is None else {"X-Secret": secret}
    response = Client(enforce_csrf_checks=True, headers=headers).generic(
        method, f"/api/v1/heartbeat/{path}", **extra
    )
    assert response["Content-Type"] == "application/json"
    return response.status_code, response.json() if response.content else None


def status() -> str:
    return MonitorState.objects.get().status


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_ping_is_taken_by_any_of_three_methods(method: str) -> None:
    _, token = heartbeat()
    answered, body = call(token, method)
    assert (answered, body) == (200, None if method == "HEAD" else {"ok": True})
    assert status() == "up"


@pytest.mark.parametrize(
    ("signal", "becomes", "error"),
    [
        ("0", "up", ""),
        ("00", "up", ""),
        ("1", "down", "exit status 1"),
        ("255", "down", "exit status 255"),
        ("fail", "down", "the job reported a failure"),
    ],
)
def test_what_the_job_says_of_its_run(signal: str, becomes: str, error: str) -> None:
    made, token = heartbeat()
    assert call(f"{token}/{signal}") == (200, {"ok": True})
    assert status() == becomes
    assert Evidence.objects.get(monitor_id=made.pk).error == error


def test_a_start_is_noted_and_is_no_ping() -> None:
    _, token = heartbeat()
    assert call(f"{token}/start") == (200, {"ok": True})
    beat = Heartbeat.objects.get()
    assert beat.run_started_at
    assert (beat.last_ping_at, status()) == (None, "unknown")


@pytest.mark.parametrize(
    ("signal", "answer"),
    [
        ("256", (400, "exit status must be at most 255")),
        ("99999999999999999999", (400, "exit status must be at most 255")),
        ("-1", (404, "not found")),
        ("stop", (404, "not found")),
        ("٣", (404, "not found")),
        ("1/2", (404, "not found")),
        ("", (404, "not found")),
    ],
)
def test_what_is_no_signal_is_refused(signal: str, answer: tuple[int, str]) -> None:
    _, token = heartbeat()
    code, message = answer
    assert call(f"{token}/{signal}") == (code, {"error": message})
    assert status() == "unknown"


@pytest.mark.parametrize("path", ["nothing", "nothing/fail", "nothing/start", "%00", "hb_\u00e9"])
def test_an_unknown_token_is_not_found(path: str) -> None:
    heartbeat()
    assert call(path) == (404, {"error": "invalid heartbeat token"})


@pytest.mark.parametrize("secret", [None, "", "wrong horse", "correct horsf", "\u00e9"])
@pytest.mark.parametrize("signal", ["", "/start", "/fail", "/7"])
def test_without_the_secret_nothing_is_heeded(secret: str | None, signal: str) -> None:
    _, token = heartbeat(secret="correct horse")
    assert call(token + signal, secret=secret) == (401, {"error": "invalid or missing X-Secret header"})
    assert (status(), Heartbeat.objects.get().run_started_at) == ("unknown", None)


@pytest.mark.parametrize("secret", ["correct horse", "größer"])
def test_with_the_secret_it_is(secret: str) -> None:
    _, token = heartbeat(secret=secret)
    sent = secret.encode().decode("latin-1")  # as WSGI hands on the bytes of a header
    assert call(token, secret=sent) == (200, {"ok": True})
    assert status() == "up"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_refused(method: str) -> None:
    _, token = heartbeat()
    assert call(token, method) == (405, {"error": "method not allowed"})
    assert status() == "unknown"


@pytest.mark.parametrize("suffix", ["", "/fail", "/256", "/stop", "/1/2"])
def test_a_token_is_not_logged(caplog: pytest.LogCaptureFixture, suffix: str) -> None:
    _, token = heartbeat(secret="correct horse")
    with caplog.at_level(logging.WARNING, "django.request"):  # production is quieter
        call(token + suffix)
        call(token + suffix, "PUT")
    assert len(caplog.records) == 2
    assert token not in caplog.text


def test_the_body_is_never_read() -> None:
    _, token = heartbeat()
    data = b"\xff" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    assert call(token, data=data, content_type="multipart/form-data") == (200, {"ok": True})


def test_pings_are_not_limited_and_guessing_is(alice: ApiClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    _, token = heartbeat(alice.account)
    for _ in range(5):
        assert call(token)[0] == 200
    assert [call("guess")[0] for _ in range(5)] == [404, 404, 404, 429, 429]
    assert call(token)[0] == 200
    with Redis.from_url(settings.REDIS_URL) as redis:
        assert len(list(redis.scan_iter(f"{limits.PREFIX}*"))) == 1


def test_a_quiet_ping_is_one_statement(django_assert_num_queries: Any) -> None:
    _, token = heartbeat()
    call(token)
    with django_assert_num_queries(1):
        call(token)


def first(path: str, method: str = "POST", **environ: str) -> tuple[str, bytes]:
    """What is answered before Django; a request that it gets is answered `Django`."""
    said: list[str] = []
    application = PingsFirst(lambda environ, start_response: [b"Django"])
    request = RequestFactory().generic(method, path, headers=None, **environ).environ  # type: ignore[arg-type]
    body = application(request, lambda status, headers: said.append(f"{status} {headers[0][1]}"))
    return "".join(said), b"".join(body)


@pytest.mark.parametrize(
    ("method", "body"), [("GET", b'{"ok": true}'), ("POST", b'{"ok": true}'), ("HEAD", b"")]
)
@pytest.mark.parametrize(("signal", "becomes"), [("", "up"), ("/7", "down"), ("/start", "unknown")])
def test_a_ping_that_is_taken_never_reaches_django(
    method: str, body: bytes, signal: str, becomes: str
) -> None:
    _, token = heartbeat(secret="größer ist")
    secret = "größer ist".encode().decode("latin-1")
    answer = first(f"{PATH}{token}{signal}", method, HTTP_X_SECRET=secret)
    assert answer == ("200 OK application/json", body)
    assert status() == becomes


@pytest.mark.parametrize("suffix", ["", "/256", "/stop", "/1/2", "x"])
def test_all_else_is_djangos(suffix: str) -> None:
    _, token = heartbeat(secret="correct horse")
    assert first(f"{PATH}{token}{suffix}") == ("", b"Django")
    assert first(f"{PATH}{token}", "PUT", HTTP_X_SECRET="correct horse") == ("", b"Django")
    assert first("/api/v1/monitors") == ("", b"Django")
    assert status() == "unknown"


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_database_closed_costs_no_ping() -> None:
    _, token = heartbeat()
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert first(f"{PATH}{token}") == ("", b"Django")
    assert call(token) == (200, {"ok": True})
    assert first(f"{PATH}{token}")[0] == "200 OK application/json"


def test_without_the_database_the_job_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(pings, "heed", away)
    assert call("any") == (503, {"error": "temporarily unavailable"})


def create(client: ApiClient, **fields: Any) -> tuple[int, Any]:
    return client.post("/monitors", {"name": "backup", "type": "heartbeat", **fields})


def test_a_new_heartbeat_comes_with_all_that_a_job_needs(alice: ApiClient) -> None:
    status, body = create(alice)
    assert status == 200
    shown = body["monitor"]
    assert shown["url"].startswith("heartbeat:")
    assert {name: value for name, value in shown.items() if name.startswith("heartbeat_")} == {
        "heartbeat_token": shown["heartbeat_token"],
        "heartbeat_url": f"/api/v1/heartbeat/{shown['heartbeat_token']}",
        "heartbeat_secret": None,
        "heartbeat_last_ping": None,
        "heartbeat_grace_secs": 60,
        "heartbeat_cron": None,
        "heartbeat_timezone": "UTC",
    }
    assert (body["state"]["status"], body["state"]["last_check_at"]) == ("unknown", None)
    assert call(shown["heartbeat_token"])[0] == 200
    path = f"/monitors/{shown['id']}"
    read = alice.get(path)[1]
    assert (read["state"]["status"], read["state"]["last_check_at"]) == (
        "up",
        read["monitor"]["heartbeat_last_ping"],
    )
    assert read["state"]["evidence_buffer"][0]["region"] == "HEARTBEAT"
    assert alice.get("/monitors")[1][0]["last_check_at"] == read["state"]["last_check_at"]


def test_every_field_is_kept_and_changed_and_taken_back(alice: ApiClient) -> None:
    given = {
        "url": "nightly backup",
        "interval_sec": 600,
        "heartbeat_secret": "correct horse",
        "heartbeat_grace_secs": 0,
        "heartbeat_cron": "30 2 * * *",
        "heartbeat_timezone": "Europe/Berlin",
    }
    _, body = create(alice, **given)
    path = f"/monitors/{body['monitor']['id']}"
    assert {name: body["monitor"][name] for name in given} == given
    change = {"heartbeat_secret": None, "heartbeat_cron": None, "heartbeat_grace_secs": 5}
    _, changed = alice.put(path, change)
    assert changed["monitor"] == body["monitor"] | change
    assert call(body["monitor"]["heartbeat_token"])[0] == 200


def test_two_are_told_apart_by_url(alice: ApiClient) -> None:
    assert create(alice)[0] == create(alice)[0] == create(alice, url="job")[0] == 200
    assert create(alice, url="job") == (409, {"error": "monitor for this URL already exists"})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("secret", "short", "heartbeat_secret must be at least 8 characters"),
        ("secret", "x" * 129, "heartbeat_secret must be 128 characters or less"),
        ("secret", "a\nb c d e f", "heartbeat_secret must not contain control characters"),
        ("grace_secs", -1, "heartbeat_grace_secs must be at least 0"),
        ("grace_secs", 86_401, "heartbeat_grace_secs must be at most 86400"),
        (
            "cron",
            "@daily",
            "heartbeat_cron must have five fields: minute, hour, day of month, month, day of week",
        ),
        ("cron", "0 0 30 2 *", "heartbeat_cron is invalid: Bad day-of-month"),
        ("cron", "x" * 101, "heartbeat_cron must be 100 characters or less"),
        ("timezone", "Mars", "heartbeat_timezone must be a name of the IANA database, such as Europe/Berlin"),
        ("timezone", None, "heartbeat_timezone is required"),
    ],
)
def test_a_bad_field_is_named(alice: ApiClient, field: str, value: Any, message: str) -> None:
    assert create(alice, **{f"heartbeat_{field}": value}) == (400, {"error": message})
    assert not Monitor.objects.exists()


def test_a_new_token_ends_the_old_one(alice: ApiClient) -> None:
    _, body = create(alice, heartbeat_secret="correct horse")
    old = body["monitor"]["heartbeat_token"]
    _, rotated = alice.post(f"/monitors/{body['monitor']['id']}/heartbeat/rotate", None)
    assert rotated["monitor"]["heartbeat_token"] != old
    assert rotated["monitor"]["heartbeat_secret"] == "correct horse"
    assert call(old, secret="correct horse")[0] == 404
    assert call(rotated["monitor"]["heartbeat_token"], secret="correct horse")[0] == 200


def test_only_a_heartbeat_has_a_token_and_it_cannot_be_looked_at(alice: ApiClient) -> None:
    _, body = alice.post("/monitors", {"name": "x", "type": "tcp", "url": "127.0.0.1:9"})
    path = f"/monitors/{body['monitor']['id']}"
    assert alice.post(f"{path}/heartbeat/rotate", None) == (404, {"error": "heartbeat not found"})
    _, body = create(alice)
    assert alice.post(f"/monitors/{body['monitor']['id']}/test", None) == (
        400,
        {"error": "a heartbeat monitor cannot be tested: it reports by itself"},
    )


def test_the_list_takes_as_many_queries_with_heartbeats(
    alice: ApiClient, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        heartbeat(alice.account, url=f"heartbeat:{number}", secret="correct horse")
    heartbeat(account("bob"))
    alice.get("/monitors")
    with django_assert_num_queries(3):
        assert len(alice.get("/monitors")[1]) == 5
