"""What agents call: enrolment once, heartbeats with results in, checks out, also when they come too often."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Server
from api.views import agents
from monitors.models import Evidence, Monitor, MonitorState, OptOut, Report
from probes.agent.messages import CLASSES, KINDS, LARGEST_BODY_BYTES
from probes.errors import ErrorClass
from probes.instants import unix_ms
from tests.api.conftest import ApiClient
from tests.make import monitor

HTTP = {"name": "intranet", "url": "http://10.0.0.5/health", "type": "http"}


class Agent:
    """An agent as others write them: just HTTP and JSON."""

    def __init__(self, client: ApiClient) -> None:
        _, made = client.post("/servers", {"name": "web-01"})
        self.id, self.http = made["id"], Client()
        status, enrolled = self.call("/agent/enrol", {"token": made["enrolment_token"]})
        assert (status, enrolled["server_id"]) == (200, self.id)
        self.key = enrolled["agent_key"]

    def call(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self.http.generic(
            "POST", path, content, content_type="application/json", headers=headers or None
        )
        return response.status_code, response.json()

    def beat(self, *results: Any, **more: Any) -> tuple[int, Any]:
        body = {"hostname": "web-01.prod", "agent_version": "1.2", "uptime_results": list(results), **more}
        return self.call("/agent/heartbeat", body, **{"X-Agent-Key": self.key})


@pytest.fixture
def agent(alice: ApiClient) -> Agent:
    return Agent(alice)


@pytest.fixture
def watched(alice: ApiClient, agent: Agent) -> Monitor:
    status, _ = alice.post("/monitors", HTTP | {"servers": [agent.id]})
    assert status == 200
    return Monitor.objects.get()


def test_a_token_enrols_once(alice: ApiClient) -> None:
    token = alice.post("/servers", {"name": "web-01"})[1]["enrolment_token"]
    other = Agent(alice)
    assert other.call("/agent/enrol", {"token": token})[0] == 200
    for bad in (token, "uet_nobody", 7, None):
        refusal = (401, {"error": "invalid enrolment token"})
        assert other.call("/agent/enrol", {"token": bad}) == refusal


def test_it_is_told_what_to_look_at(agent: Agent, watched: Monitor, alice: ApiClient) -> None:
    tls = {"name": "cert", "url": "10.0.0.5:8443", "type": "ssl", "ssl_warn_days": 14, "timeout_secs": 5}
    tcp = {"name": "port", "url": "10.0.0.5:5432", "type": "tcp"}
    ids = [alice.post("/monitors", each | {"servers": [agent.id]})[1]["monitor"]["id"] for each in (tls, tcp)]
    alice.put(f"/monitors/{watched.pk}", {"body_match": "ok", "expected_status": "204"})
    status, answer = agent.beat()
    assert status == 200
    assert answer["heartbeat_seconds"] == 30
    none = {
        "expected_status_codes": None,
        "max_latency_ms": None,
        "body_contains": None,
        "follow_redirects": None,
        "warn_days_before_expiry": None,
    }
    known = ("id", "type", "target", "timeout_seconds", "config")
    assert [{name: each[name] for name in known} for each in answer["uptime_checks"]] == [
        {
            "id": watched.pk,
            "type": "http",
            "target": "http://10.0.0.5/health",
            "timeout_seconds": 10,
            "config": none
            | {"expected_status_codes": "204", "body_contains": "ok", "follow_redirects": True},
        },
        {
            "id": ids[0],
            "type": "tls_expiry",
            "target": "10.0.0.5:8443",
            "timeout_seconds": 5,
            "config": none | {"warn_days_before_expiry": 14},
        },
        {
            "id": ids[1],
            "type": "tcp",
            "target": "10.0.0.5:5432",
            "timeout_seconds": 10,
            "config": none,
        },
    ]


def test_what_is_paused_opted_out_or_anothers_is_not_looked_at(
    agent: Agent, alice: ApiClient, bob: ApiClient
) -> None:
    theirs = Agent(bob)
    for url in ("http://10.0.0.1/", "http://internal.example/"):
        alice.post("/monitors", HTTP | {"url": url, "servers": [agent.id]})
    OptOut.objects.create(domain="internal.example")
    (only,) = agent.beat()[1]["uptime_checks"]
    assert only["target"] == "http://10.0.0.1/"
    assert theirs.beat()[1]["uptime_checks"] == []
    alice.put(f"/monitors/{only['id']}", {"enabled": False})
    assert agent.beat()[1]["uptime_checks"] == []


def test_a_result_is_kept_and_seen_by_the_customer(agent: Agent, watched: Monitor, alice: ApiClient) -> None:
    well = {"check_id": watched.pk, "ok": True, "status_code": 200, "latency_ms": 142, "cert_days_left": 73}
    for _ in range(3):
        assert agent.beat(well, cpu_percent=3.5, disks=[{"free": 7}])[0] == 200
    _, body = alice.get(f"/monitors/{watched.pk}")
    assert body["state"]["status"] == "up"
    seen = body["state"]["evidence_buffer"][0]
    assert (seen["region"], seen["status_code"], seen["total_ms"]) == (f"SERVER-{agent.id}", 200, 142)
    assert body["state"]["cert_days_left"] == 73
    _, shown = alice.get(f"/servers/{agent.id}")
    assert (shown["hostname"], shown["agent_version"], shown["status"]) == ("web-01.prod", "1.2", "alive")
    assert shown["monitors"] == [watched.pk]


def test_an_outage_that_an_agent_sees_is_an_incident(
    agent: Agent, watched: Monitor, alice: ApiClient
) -> None:
    failed = {"check_id": watched.pk, "ok": 0, "status_code": 503, "error_kind": "http_status"}
    for _ in range(3):
        agent.beat(failed)
    _, found = alice.get("/incidents")
    (incident,) = found["incidents"]
    assert incident["confirmation"] == {"mode": "lone-server", "regions": [f"server-{agent.id}"]}
    assert incident["reason"] == "http_5xx"
    assert alice.get(f"/monitors/{watched.pk}/rounds")[1]["rounds"][0]["verdict"] == "down"


@pytest.mark.parametrize(("kind", "error_class"), CLASSES.items())
def test_every_kind_of_failure_has_a_class(
    agent: Agent, watched: Monitor, kind: str, error_class: ErrorClass
) -> None:
    agent.beat({"check_id": watched.pk, "ok": False, "error_kind": kind, "error_message": "why\0 so"})
    report = Report.objects.get()
    assert (report.outcome, report.error_class, report.error) == ("down", error_class, "why so")


def test_every_failure_of_ours_has_a_kind_that_means_nearly_the_same() -> None:
    checked = {each for each in ErrorClass if each.outcome == "down"}
    of_dns = {ErrorClass.DNS_EMPTY, ErrorClass.DNS_MISMATCH}
    of_heartbeats = {ErrorClass.OVERDUE, ErrorClass.REPORTED_FAILURE}
    assert set(KINDS) == checked - of_dns - of_heartbeats
    assert all(CLASSES[kind].outcome == "down" for kind in KINDS.values())
    assert all(KINDS[error_class] == kind for kind, error_class in CLASSES.items())


@pytest.mark.parametrize(
    ("result", "outcome", "error_class"),
    [
        ({"ok": False}, "down", "http_status"),
        ({"ok": 1, "error_kind": None}, "up", ""),
        ({"ok": False, "error_kind": "tcp_refused", "error_class": "dns_nxdomain"}, "down", "dns_nxdomain"),
        ({"ok": False, "error_kind": "timeout", "error_class": "from_the_future"}, "down", "timeout"),
        ({"ok": False, "error_class": "blocked"}, "error", "blocked"),
        ({"ok": True, "error_class": "latency_warning"}, "up", "latency_warning"),
        ({"ok": True, "error_class": "refused"}, "up", ""),
        ({"ok": False, "error_kind": "http_status", "status_code": 404}, "down", "http_4xx"),
    ],
)
def test_what_a_result_means(
    agent: Agent, watched: Monitor, result: dict[str, Any], outcome: str, error_class: str
) -> None:
    agent.beat({"check_id": watched.pk} | result)
    report = Report.objects.get()
    assert (report.outcome, report.error_class) == (outcome, error_class)


def test_a_certificate_that_is_about_to_end_is_up_and_marked(agent: Agent, alice: ApiClient) -> None:
    cert = {"name": "cert", "url": "10.0.0.5:443", "type": "ssl", "ssl_warn_days": 14, "servers": [agent.id]}
    made = alice.post("/monitors", cert)[1]["monitor"]
    for left in (14, 13):
        agent.beat({"check_id": made["id"], "ok": True, "cert_days_left": left})
        expected = "cert_expiring" if left == 13 else ""
        assert Report.objects.get().error_class == expected


def test_a_certificate_without_an_end_is_a_certificate(agent: Agent, watched: Monitor) -> None:
    left = (datetime(9999, 12, 31, tzinfo=UTC) - timezone.now()).days
    for days in (left, 3 * 10**6):
        _, answer = agent.beat({"check_id": watched.pk, "ok": True, "cert_days_left": days})
        assert answer["accepted"] == 1
        ends = Report.objects.get().cert_expires_at
        assert ends
        assert ends.year == 9999


@pytest.mark.parametrize("checked_at_ms", [None, 0, 10**14])
@pytest.mark.parametrize("left", [-36_500, -1, 3 * 10**6])
def test_a_certificate_may_have_ended_long_ago_or_never_end_and_the_clock_be_wrong(
    agent: Agent, alice: ApiClient, left: int, checked_at_ms: int | None
) -> None:
    cert = {"name": "cert", "url": "10.0.0.5:443", "type": "ssl", "ssl_warn_days": 14, "servers": [agent.id]}
    made = alice.post("/monitors", cert)[1]["monitor"]
    seen = {"check_id": made["id"], "ok": True, "cert_days_left": left, "checked_at_ms": checked_at_ms}
    status, answer = agent.beat(seen)
    assert (status, answer["accepted"]) == (200, 1)


@pytest.mark.parametrize(
    "bad",
    [
        7,
        None,
        {},
        {"check_id": "1", "ok": True},
        {"ok": True},
        {"check_id": 1, "ok": "yes"},
        {"check_id": 1, "ok": 2},
        {"check_id": 1, "ok": False, "error_kind": "gremlins"},
        {"check_id": 1, "ok": True, "latency_ms": -1},
        {"check_id": 1, "ok": True, "cert_days_left": 10**9},
        {"check_id": 1, "ok": True, "cert_days_left": -(10**6)},
        {"check_id": 2**70, "ok": True},
        {"check_id": 1, "ok": True, "checked_at_ms": "now"},
    ],
)
def test_one_bad_result_costs_no_other(agent: Agent, watched: Monitor, bad: Any) -> None:
    if isinstance(bad, dict) and bad.get("check_id") == 1:
        bad = bad | {"check_id": watched.pk}
    status, answer = agent.beat(bad, {"check_id": watched.pk, "ok": True})
    assert (status, answer["accepted"]) == (200, 1)
    assert Report.objects.get().outcome == "up"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b'{"uptime_results": {}}', b'{"hostname": 7}', b"\xff"]
)
def test_a_body_that_is_no_heartbeat_is_refused(agent: Agent, body: bytes) -> None:
    refusal = agent.call("/agent/heartbeat", body, **{"X-Agent-Key": agent.key})
    assert refusal == (400, {"error": "invalid request body"})


def test_results_for_what_is_not_its_own_count_for_nothing(
    agent: Agent, alice: ApiClient, bob: ApiClient, watched: Monitor
) -> None:
    theirs, of_regions = monitor(bob.account), monitor(alice.account)
    other = Agent(alice)
    for sender, target in ((agent, theirs), (agent, of_regions), (other, watched)):
        status, answer = sender.beat({"check_id": target.pk, "ok": False})
        assert (status, answer["accepted"]) == (200, 0)
    assert not Evidence.objects.exists()
    assert not Report.objects.exists()


def test_what_has_an_instant_of_its_own_counts_once(agent: Agent, watched: Monitor) -> None:
    at = unix_ms(timezone.now() - timedelta(seconds=5))
    for _ in range(3):
        agent.beat({"check_id": watched.pk, "ok": False, "checked_at_ms": at})
    assert (Evidence.objects.count(), Report.objects.get().streak) == (1, 1)


def test_what_was_measured_before_an_edit_is_no_vote(
    agent: Agent, watched: Monitor, alice: ApiClient
) -> None:
    (check,) = agent.beat()[1]["uptime_checks"]
    alice.put(f"/monitors/{watched.pk}", {"url": "http://10.0.0.6/"})
    agent.beat({"check_id": watched.pk, "ok": False, "config_version": check["config_version"]})
    assert not Report.objects.exists()


@pytest.mark.parametrize("key", ["", "uak_nobody", "\udcff"])
def test_without_a_key_nothing_is_told(agent: Agent, key: str) -> None:
    headers = {"X-Agent-Key": key.encode("utf-8", "surrogateescape").decode("latin-1")} if key else {}
    assert agent.call("/agent/heartbeat", {}, **headers) == (401, {"error": "invalid agent key"})


def test_the_key_of_a_removed_server_opens_nothing(agent: Agent, alice: ApiClient) -> None:
    assert alice.delete(f"/servers/{agent.id}") == (204, None)
    assert agent.beat()[0] == 401


def test_a_suspended_account_is_told_so(agent: Agent, alice: ApiClient) -> None:
    alice.account.suspended_at = timezone.now()
    alice.account.save()
    assert agent.beat() == (403, {"error": "account suspended; contact support"})


def test_more_than_64_kib_are_too_many(agent: Agent, watched: Monitor) -> None:
    fits = agent.beat({"check_id": watched.pk, "ok": True}, padding="x" * (LARGEST_BODY_BYTES - 200))
    assert fits[0] == 200
    assert agent.beat(padding="x" * LARGEST_BODY_BYTES) == (413, {"error": "request body too large"})
    assert agent.call("/agent/enrol", b"x" * (LARGEST_BODY_BYTES + 1))[0] == 413


def test_who_comes_too_often_is_told_when_and_what_to_look_at(agent: Agent, watched: Monitor) -> None:
    for _ in range(agents.HEARTBEATS.limit):
        assert agent.beat()[0] == 200
    status, answer = agent.beat({"check_id": watched.pk, "ok": False})
    assert status == 429
    assert 1 <= answer["retry_after"] <= 60
    assert [check["id"] for check in answer["uptime_checks"]] == [watched.pk]
    assert not Report.objects.exists()


def test_guessing_tokens_is_slow(agent: Agent) -> None:
    statuses = [agent.call("/agent/enrol", {"token": "uet_guess"})[0] for _ in range(agents.ENROLMENTS.limit)]
    assert statuses[-1] == 429
    assert statuses[0] == 401


def test_guessing_keys_is_counted_by_address_and_what_agents_do_is_not(agent: Agent, settings: Any) -> None:
    def guess() -> tuple[int, Any]:
        return agent.call("/agent/heartbeat", {}, **{"X-Agent-Key": "uak_guess"})

    settings.API_REQUESTS_PER_MINUTE = 2
    assert [agent.beat()[0] for _ in range(3)] == [200] * 3
    assert agent.beat(padding="x" * LARGEST_BODY_BYTES)[0] == 413
    assert [guess()[0] for _ in range(2)] == [401, 401]
    status, answer = guess()
    assert (status, answer["error"].partition(";")[0]) == (429, "address rate limit exceeded")
    assert agent.beat()[0] == 200


def test_a_body_that_is_not_utf_8_is_no_body(agent: Agent) -> None:
    for path in ("/agent/enrol", "/agent/heartbeat"):
        answer = agent.call(path, b'{"hostname": "\xff"}', **{"X-Agent-Key": agent.key})
        assert answer == (400, {"error": "invalid request body"})


def test_a_result_that_is_not_utf_8_is_dropped_alone(agent: Agent, watched: Monitor) -> None:
    result = b'{"check_id": %d, "ok": %s, "error_message": "%s"}'
    results = [result % (watched.pk, *said) for said in ((b"false", b"\xff"), (b"true", b"fine"))]
    body = b'{"uptime_results": [' + b",".join(results) + b"]}"
    status, answer = agent.call("/agent/heartbeat", body, **{"X-Agent-Key": agent.key})
    assert (status, answer["accepted"]) == (200, 1)
    assert Report.objects.get().outcome == "up"


def test_what_it_says_of_itself_is_made_fit_to_show(agent: Agent) -> None:
    assert agent.beat(hostname="a\0b\n" + "x" * 999, agent_version=None)[0] == 200
    server = Server.objects.get()
    assert (server.hostname, server.agent_version) == (("ab" + "x" * 999)[:255], "")


def test_the_state_of_a_private_target_waits_for_agents(watched: Monitor, alice: ApiClient) -> None:
    assert MonitorState.objects.get().scheduled_since is None
    status, body = alice.post(f"/monitors/{watched.pk}/test", None)
    assert (status, body["state"]["status"], body["state"]["evidence_buffer"]) == (200, "unknown", [])
