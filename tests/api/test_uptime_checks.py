"""/uptime-checks: bounds, every field that is wrong, what servers see, and what is shown of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Server
from api.dialects.agents import check_of, looks_in
from api.views.uptime_checks import UptimeCheckList
from incidents.agents import heed_agent
from monitors.assignments import region_of
from monitors.evidence import record_evidence
from monitors.models import Evidence, Monitor, MonitorState, OptOut
from monitors.reports import record_looks
from probes.agent.messages import Heartbeat
from probes.messages import ProbeResult
from tests.api.conftest import ApiClient
from tests.make import assigned, monitor, result, seconds, server
from webhooks.models import Delivery
from webhooks.services import set_webhook

NEW = {"name": "intranet", "check_type": "http", "target": "http://10.0.0.5/"}


@pytest.fixture
def web(check_alice: ApiClient) -> Server:
    return server(check_alice.account, hostname="web-01.prod")


def created(client: ApiClient, *servers: Server, **change: Any) -> dict[str, Any]:
    status, answer = client.post("", NEW | {"probe_server_ids": [each.pk for each in servers]} | change)
    assert status == 201, answer
    check: dict[str, Any] = answer["check"]
    return check


def wrong(answer: Any) -> list[str]:
    """The fields that a refusal names."""
    assert answer["error"] == "validation_failed"
    assert all(each["reason"].startswith(each["field"]) for each in answer["issues"])
    return [each["field"] for each in answer["issues"]]


def look(of: Monitor, by: Server, outcome: str, ago_seconds: float = 0, **fields: Any) -> ProbeResult:
    at = timezone.now() - seconds(ago_seconds)
    return result(of, outcome, region_of(by.pk), at=at, **fields)


def seen(by: Server, *looks: ProbeResult) -> None:
    record_looks(by, looks, timezone.now())


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": "x" * 100}, []),
        ({"name": "x" * 101}, ["name"]),
        ({"name": None}, ["name"]),
        ({"check_type": "ping"}, ["check_type"]),
        ({"check_type": "ssl"}, ["check_type"]),
        ({"target": "https://example.com/" + "x" * 480}, []),
        ({"target": "https://example.com/" + "x" * 481}, ["target"]),
        ({"target": "example.com:80"}, ["target"]),
        ({"target": "http://u:p@example.com/"}, ["target"]),
        ({"check_type": "tcp", "target": "10.0.0.5:1"}, []),
        ({"check_type": "tcp", "target": "[::1]:1"}, []),
        ({"check_type": "tcp", "target": "10.0.0.5"}, ["target"]),
        ({"check_type": "tcp", "target": "10.0.0.5:65536"}, ["target"]),
        ({"check_type": "tcp", "target": "tcp://10.0.0.5:1"}, ["target"]),
        ({"check_type": "tls_expiry", "target": "10.0.0.5:443"}, []),
        ({"check_type": "tls_expiry", "target": "10.0.0.5"}, ["target"]),
        ({"check_type": "tls_expiry", "target": "https://10.0.0.5:443"}, ["target"]),
        ({"expected_status_codes": "200,201,2xx-3xx"}, []),
        ({"expected_status_codes": "99"}, ["expected_status_codes"]),
        ({"expected_status_codes": 200}, ["expected_status_codes"]),
        ({"max_latency_ms": 60_000}, []),
        ({"max_latency_ms": 60_001}, ["max_latency_ms"]),
        ({"max_latency_ms": 0}, ["max_latency_ms"]),
        ({"max_latency_ms": True}, ["max_latency_ms"]),
        ({"body_contains": "x" * 500}, []),
        ({"body_contains": "x" * 501}, ["body_contains"]),
        ({"body_contains": "a\nb"}, ["body_contains"]),
        ({"follow_redirects": 1}, []),
        ({"follow_redirects": False}, []),
        ({"follow_redirects": 2}, ["follow_redirects"]),
        ({"follow_redirects": "true"}, ["follow_redirects"]),
        ({"follow_redirects": 1.0}, ["follow_redirects"]),
        ({"tls_warn_days_before_expiry": 365}, []),
        ({"tls_warn_days_before_expiry": 366}, ["tls_warn_days_before_expiry"]),
        ({"timeout_seconds": 60}, []),
        ({"timeout_seconds": 61}, ["timeout_seconds"]),
        ({"alert_on_down": None}, ["alert_on_down"]),
        ({"probe_server_ids": None}, ["probe_server_ids"]),
        ({"probe_server_ids": [True]}, ["probe_server_ids"]),
        ({"probe_server_ids": list(range(1, 102))}, ["probe_server_ids"]),
        ({"name": "", "timeout_seconds": 0, "colour": "red"}, ["name", "timeout_seconds"]),
    ],
)
def test_bounds_hold_and_every_wrong_field_is_named(
    check_alice: ApiClient, web: Server, change: dict[str, Any], fields: list[str]
) -> None:
    status, answer = check_alice.post("", NEW | {"probe_server_ids": [web.pk]} | change)
    assert (status, wrong(answer) if status == 400 else []) == (400 if fields else 201, fields)
    assert Monitor.objects.exists() is not bool(fields)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_servers_of_others_are_as_unknown_as_those_of_nobody(
    check_alice: ApiClient, bob: ApiClient, web: Server, method: str
) -> None:
    theirs = server(bob.account).pk
    check = created(check_alice, web)
    path, body = ("", NEW | {"target": "http://10.0.0.6/"}) if method == "POST" else (f"/{check['id']}", {})
    answers = [
        check_alice(method, path, body | {"probe_server_ids": [web.pk, each]}) for each in (theirs, 10**9)
    ]
    assert answers[0] == answers[1]
    assert (answers[0][0], wrong(answers[0][1])) == (400, ["probe_server_ids"])
    assert check_alice.get(f"/{check['id']}")[1]["check"]["probe_servers"] == check["probe_servers"]


def test_no_region_looks_at_it(check_alice: ApiClient, web: Server) -> None:
    created(check_alice, web)
    assert MonitorState.objects.get().scheduled_since is None


def test_an_update_keeps_what_it_leaves_out(check_alice: ApiClient, web: Server) -> None:
    check = created(check_alice, web, max_latency_ms=700, expected_status_codes="200,204", alert_on_down=0)
    path = f"/{check['id']}"
    for change in ({"timeout_seconds": 3}, {"max_latency_ms": None}, {"alert_on_recovery": 1}, {}):
        check |= change
        assert check_alice.put(path, change)[1]["check"] == check
    assert check_alice.put(path, {"expected_status_codes": None})[1]["check"] == check | {
        "expected_status_codes": "200-299"
    }


def test_what_is_shown_can_be_written_back(check_alice: ApiClient, web: Server) -> None:
    check = created(check_alice, web)
    version = MonitorState.objects.get().config_version
    assert check_alice.put(f"/{check['id']}", check)[1]["check"] == check
    assert MonitorState.objects.get().config_version == version


def test_an_alert_that_is_turned_off_is_no_other_check(check_alice: ApiClient, web: Server) -> None:
    check = created(check_alice, web)
    seen(web, look(Monitor.objects.get(), web, "up"))
    check_alice.put(f"/{check['id']}", {"alert_on_down": 0})
    assert len(check_alice.get(f"/{check['id']}")[1]["per_probe_latest"]) == 1


def test_servers_can_be_replaced(check_alice: ApiClient, web: Server) -> None:
    check, other = created(check_alice, web), server(check_alice.account, name="new")
    _, answer = check_alice.put(f"/{check['id']}", {"probe_server_ids": [other.pk, other.pk]})
    assert answer["probe_server_ids"] == [other.pk]
    assert answer["check"]["probe_servers"] == [{"id": other.pk, "hostname": "new"}]


def test_an_address_is_watched_once(check_alice: ApiClient, web: Server) -> None:
    created(check_alice, web)
    status, answer = check_alice.post("", NEW | {"probe_server_ids": [web.pk]})
    assert (status, wrong(answer)) == (400, ["target"])


def test_a_target_that_opted_out_is_refused(check_alice: ApiClient, web: Server) -> None:
    OptOut.objects.create(domain="example.com")
    body = NEW | {"target": "http://www.example.com/", "probe_server_ids": [web.pk]}
    assert wrong(check_alice.post("", body)[1]) == ["target"]


def test_only_what_servers_look_at_is_there(check_alice: ApiClient, web: Server) -> None:
    check, regional = created(check_alice, web), monitor(check_alice.account)
    assert [each["id"] for each in check_alice.get("")[1]["checks"]] == [check["id"]]
    assert check_alice.get(f"/{regional.pk}")[0] == 404


def test_targets_of_other_formats_are_shown_as_here(check_alice: ApiClient, web: Server) -> None:
    urls = [("tcp", "tcp://[::1]:9"), ("ssl", "example.com"), ("ssl", "https://example.com:8443/x")]
    for type_, url in urls:
        assigned(web, type=type_, url=url, options={})
    checks = check_alice.get("")[1]["checks"]
    assert [each["target"] for each in checks] == ["[::1]:9", "example.com:443", "example.com:8443"]


def test_the_limit_is_told_with_its_numbers(check_alice: ApiClient, web: Server) -> None:
    monitor(check_alice.account)
    Account.objects.update(monitor_limit=2)
    created(check_alice, web)
    status, answer = check_alice.post("", NEW | {"target": "http://10.0.0.7/", "probe_server_ids": [web.pk]})
    assert (status, answer["error"]) == (402, "plan_limit_reached")
    assert (answer["plan_limit"], answer["current_count"]) == (2, 2)


def test_each_server_has_its_latest_and_failures_have_kinds(check_alice: ApiClient, web: Server) -> None:
    other = server(check_alice.account, name="other")
    check = created(check_alice, web, other)
    made = Monitor.objects.get()
    seen(web, look(made, web, "up", 20), look(made, web, "down", 10, error="503", status_code=503))
    blocked = {"error_class": "blocked", "error": "not on the allowlist", "status_code": None}
    seen(other, look(made, other, "error", 5, **blocked))
    _, whole = check_alice.get(f"/{check['id']}")
    shown = [
        (each["hostname"], each["ok"], each["status_code"], each["error_kind"], each["error_message"])
        for each in whole["per_probe_latest"]
    ]
    assert shown == [
        ("web-01.prod", 0, 503, "http_status", "503"),
        ("other", 0, None, None, "not on the allowlist"),
    ]
    assert [each["ok"] for each in whole["recent_results"]] == [0, 0, 1]
    assert whole["uptime_pct_24h"] == 50.0


def test_the_newest_hundred_results_are_shown_with_ids_that_stay(check_alice: ApiClient, web: Server) -> None:
    check = created(check_alice, web)
    made = Monitor.objects.get()
    seen(web, *[look(made, web, "up", 60 * number) for number in range(110)])
    record_evidence([result(made, "down", "eu", at=timezone.now())])
    results = check_alice.get(f"/{check['id']}")[1]["recent_results"]
    assert check_alice.get(f"/{check['id']}")[1]["recent_results"] == results
    assert len({each["id"] for each in results}) == len(results) == 100
    assert all(each["id"] < 2**53 and each["check_id"] == check["id"] for each in results)
    at = [each["executed_at"] for each in results]
    assert at == sorted(at, reverse=True)


def test_uptime_is_of_the_last_day_and_of_what_was_seen(check_alice: ApiClient, web: Server) -> None:
    check = created(check_alice, web)
    made = Monitor.objects.get()
    day = 24 * 3600
    record_evidence([look(made, web, "down", day + 60)])
    assert check_alice.get(f"/{check['id']}")[1]["uptime_pct_24h"] is None
    record_evidence([look(made, web, "error", 60)])
    assert check_alice.get(f"/{check['id']}")[1]["uptime_pct_24h"] is None
    record_evidence([look(made, web, "up", 120 + number) for number in range(2)])
    record_evidence([look(made, web, "down", 180)])
    assert check_alice.get(f"/{check['id']}")[1]["uptime_pct_24h"] == 66.67


def test_results_of_a_server_that_was_removed_stay(check_alice: ApiClient, web: Server) -> None:
    other = server(check_alice.account)
    check = created(check_alice, web, other)
    seen(web, look(Monitor.objects.get(), web, "up"))
    gone = web.pk
    web.delete()
    (left,) = check_alice.get(f"/{check['id']}")[1]["recent_results"]
    assert (left["server_id"], left["hostname"]) == (gone, None)


def test_a_check_goes_with_its_results(check_alice: ApiClient, web: Server) -> None:
    check = created(check_alice, web)
    seen(web, look(Monitor.objects.get(), web, "up"))
    assert check_alice.delete(f"/{check['id']}") == (200, {"ok": True})
    assert check_alice.get(f"/{check['id']}")[0] == 404
    assert not Evidence.objects.exists()
    assert Server.objects.filter(pk=web.pk).exists()


def test_a_list_asks_as_often_for_many_as_for_one(
    check_alice: ApiClient, web: Server, django_assert_num_queries: Any
) -> None:
    check_alice.get("")
    for number in range(1, 4):
        assigned(web, url=f"http://10.0.0.{number}/")
        with django_assert_num_queries(5):  # the key, the monitors, who looks, their names; the count
            assert len(check_alice.get("")[1]["checks"]) == number


def test_it_is_counted_as_all_else(check_alice: ApiClient, web: Server, settings: Any) -> None:
    settings.MONITOR_CREATIONS_PER_MINUTE = 1
    created(check_alice, web)
    status, answer = check_alice.post("", NEW)
    assert (status, answer["error"]) == (429, "rate_limited")
    response = check_alice.http.get("/uptime-checks")
    assert response["X-RateLimit-Limit"]
    settings.API_REQUESTS_PER_MINUTE = 1
    assert [Client().get("/uptime-checks").json()["error"] for _ in range(2)] == [
        "unauthorized",
        "rate_limited",
    ]


def test_our_own_failures_have_a_code(check_alice: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UptimeCheckList, "get", lambda *_: 1 / 0)
    response = check_alice.http.get("/uptime-checks")
    assert (response.status_code, response.json()["error"]) == (500, "internal_error")


@pytest.mark.parametrize(
    ("check_type", "target"), [("http", "http://10.0.0.8/"), ("tcp", "10.0.0.8:1"), ("tls_expiry", "[::1]:1")]
)
def test_what_takes_longer_than_it_may_has_failed(
    check_alice: ApiClient, web: Server, check_type: str, target: str
) -> None:
    check = created(check_alice, web, check_type=check_type, target=target, max_latency_ms=200)
    made = Monitor.objects.get()
    assert check_of(made).config.max_latency_ms == 200
    for number, latency_ms in enumerate([200, 201]):
        said = {"check_id": made.pk, "ok": 1, "latency_ms": latency_ms, "checked_at_ms": number}
        heartbeat = Heartbeat(uptime_results=[msgspec.Raw(msgspec.json.encode(said))])
        (seen_by_it,) = looks_in(heartbeat, {made.pk: made}, web, timezone.now())
        assert seen_by_it.error_class == ("latency" if number else "")
    assert check["max_latency_ms"] == 200


def test_alerts_that_are_off_reach_no_webhook(check_alice: ApiClient, web: Server) -> None:
    created(check_alice, web)
    made = Monitor.objects.get()
    set_webhook(account_id=made.account_id, subject_id=made.pk, now=timezone.now(), url="http://127.0.0.1:9/")
    Server.objects.update(last_seen_at=timezone.now())
    for outcome in ("up", "down", "up", "down"):
        for ago in (3, 2, 1):
            heed_agent(web, "web", "1", [look(made, web, outcome, ago / 1000)], timezone.now())
    assert list(Delivery.objects.values_list("event__type", flat=True)) == ["monitor.down"] * 2
    assert check_alice.get(f"/{made.pk}")[1]["check"]["status"] == "down"
    check_alice.put(f"/{made.pk}", {"alert_on_recovery": 1, "alert_on_down": 0})
    for ago in (3, 2, 1):
        heed_agent(web, "web", "1", [look(made, web, "up", ago / 1000)], timezone.now())
    assert Delivery.objects.latest("pk").event.type == "monitor.up"
