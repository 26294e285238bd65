"""Monitors over the native format: shapes, defaults, bounds and sentences of the contract."""

from __future__ import annotations

import re
from typing import Any

import pytest

from monitors.evidence import record_evidence
from monitors.models import Monitor, MonitorState, OptOut
from probes.instants import unix_ms
from probes.messages import Certificate
from tests.api.conftest import ApiClient
from tests.make import NOW, monitor, result, seconds

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
HTTP = {"name": "site", "url": "http://127.0.0.1:9/", "type": "http"}
TCP = {"name": "port", "url": "tcp://127.0.0.1:9", "type": "tcp"}


def refusal(message: str, status: int = 400) -> tuple[int, dict[str, str]]:
    return status, {"error": message}


def test_a_created_monitor_comes_back_in_its_envelope_with_defaults(alice: ApiClient) -> None:
    status, body = alice.post("/monitors", HTTP)
    assert status == 200
    made = Monitor.objects.get()
    assert INSTANT.fullmatch(body["monitor"].pop("created_at"))
    assert body == {
        "monitor": {
            "id": made.pk,
            "name": "site",
            "url": "http://127.0.0.1:9/",
            "type": "http",
            "interval_sec": 60,
            "timeout_secs": 10,
            "confirmation_count": 1,
            "expected_status": "200",
            "http_auth_type": "none",
            "http_auth_configured": False,
            "enabled": True,
        },
        "state": {
            "status": "unknown",
            "last_check_at": None,
            "regional_failures": [],
            "missed_checks": 0,
            "consecutive_fails": 0,
            "evidence_buffer": [],
        },
    }


def test_every_field_is_kept(alice: ApiClient) -> None:
    given = HTTP | {"expected_status": "204", "body_match": "fine", "interval_sec": 300, "enabled": False}
    _, created = alice.post("/monitors", given)
    _, read = alice.get(f"/monitors/{created['monitor']['id']}")
    assert {name: read["monitor"][name] for name in given} == given
    assert MonitorState.objects.get().scheduled_since is None


def test_tcp_takes_its_two_spellings_and_shows_no_status(alice: ApiClient) -> None:
    assert alice.post("/monitors", TCP)[0] == 200
    status, body = alice.post("/monitors", TCP | {"url": "127.0.0.1:10"})
    assert status == 200
    assert "expected_status" not in body["monitor"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "name is required"),
        ({"name": ""}, "name is required"),
        ({"name": " "}, "name is required"),
        ({"name": 7}, "name must be a string"),
        ({"name": "x" * 256}, "name must be 255 characters or less"),
        ({"name": "a\0b"}, "name must not contain control characters"),
        ({"name": "a\nb"}, "name must not contain control characters"),
        ({"name": "\ud800"}, "name must be valid UTF-8"),
        ({"url": None}, "url is required"),
        ({"url": ["x"]}, "url must be a string"),
        ({"url": "http://example.com/" + "x" * 2048}, "url must be 2048 characters or less"),
        ({"url": "http://127.0.0.1/\x01"}, "url must not contain control characters"),
        ({"url": "http://127.0.0.1/\x7f"}, "url must not contain control characters"),
        ({"type": None}, "type is required"),
        ({"type": "gopher"}, "type must be one of: http, tcp, port, ping, dns, ssl, keyword, heartbeat"),
        ({"type": []}, "type must be one of: http, tcp, port, ping, dns, ssl, keyword, heartbeat"),
        ({"expected_status": "200-399"}, "expected_status must be a single integer between 100 and 599"),
        ({"expected_status": "200,201"}, "expected_status must be a single integer between 100 and 599"),
        ({"expected_status": "99"}, "expected_status must be a single integer between 100 and 599"),
        ({"expected_status": "600"}, "expected_status must be a single integer between 100 and 599"),
        ({"expected_status": True}, "expected_status must be a single integer between 100 and 599"),
        ({"expected_status": "٢٠٠"}, "expected_status must be a single integer between 100 and 599"),
        ({"body_match": "x" * 1025}, "body_match must be 1024 characters or less"),
        ({"body_match": 1}, "body_match must be a string"),
        ({"interval_sec": 0}, "interval_sec must be at least 1"),
        ({"interval_sec": -(10**400)}, "interval_sec must be at least 1"),
        ({"interval_sec": 86_401}, "interval_sec must be at most 86400"),
        ({"interval_sec": "60"}, "interval_sec must be an integer"),
        ({"interval_sec": 60.5}, "interval_sec must be an integer"),
        ({"interval_sec": True}, "interval_sec must be an integer"),
        ({"enabled": "yes"}, "enabled must be a boolean"),
        ({"enabled": None}, "enabled is required"),
    ],
)
def test_a_bad_field_is_named_with_its_limit_and_nothing_is_saved(
    alice: ApiClient, change: dict[str, Any], message: str
) -> None:
    assert alice.post("/monitors", HTTP | change) == refusal(message)
    assert not Monitor.objects.exists()


@pytest.mark.parametrize("missing", ["name", "url", "type"])
def test_the_required_fields_are_required(alice: ApiClient, missing: str) -> None:
    body = {name: value for name, value in HTTP.items() if name != missing}
    assert alice.post("/monitors", body) == refusal(f"{missing} is required")


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({}, "name"),
        ({"name": "n"}, "url"),
        ({"name": "n", "interval_sec": 0}, "url"),
        ({"name": "n", "type": []}, "url"),
    ],
)
def test_the_first_that_is_missing_is_told(alice: ApiClient, body: dict[str, Any], missing: str) -> None:
    assert alice.post("/monitors", body) == refusal(f"{missing} is required")


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "1", "\xff", '{"name": NaN}', "[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(alice: ApiClient, body: str) -> None:
    data = body.encode("latin-1")
    response = alice.http.generic("POST", "/api/v1/monitors", data, content_type="application/json")
    assert (response.status_code, response.json()) == refusal("invalid request body")


@pytest.mark.parametrize("path", ["/monitors/{id}", "/monitors/{id}/webhook"])
def test_an_update_without_a_body_is_refused(alice: ApiClient, path: str) -> None:
    made = monitor(alice.account)
    assert alice.put(path.format(id=made.pk), None) == refusal("invalid request body")
    assert alice.put(f"/monitors/{made.pk}", {})[0] == 200


def test_unknown_fields_are_ignored(alice: ApiClient) -> None:
    assert alice.post("/monitors", HTTP | {"colour": "red", "id": 7})[0] == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_is_json_whatever_its_content_type_says(alice: ApiClient, content_type: str) -> None:
    data = b'{"name": "n", "url": "http://127.0.0.1:9/", "type": "http"}'
    assert alice.http.generic("POST", "/api/v1/monitors", data, content_type=content_type).status_code == 200


BLOCKED = [
    ("http://10.0.0.5/", "10.0.0.5"),
    ("http://192.168.1.1/", "192.168.1.1"),
    ("http://169.254.169.254/latest/", "169.254.169.254"),
    ("http://0xa000005/", "10.0.0.5"),
    ("http://167772165/", "10.0.0.5"),
    ("http://012.0.0.5/", "10.0.0.5"),
    ("http://10.5/", "10.0.0.5"),
    ("http://[::1]/", "::1"),
    ("http://[::]/", "::"),
    ("http://[fd00::1]/", "fd00::1"),
    ("http://[fe80::1]/", "fe80::1"),
    ("http://[::ffff:10.0.0.5]/", "::ffff:10.0.0.5"),
    ("http://[64:ff9b::10.0.0.5]/", "64:ff9b::a00:5"),
    ("http://0.0.0.0/", "0.0.0.0"),
    ("http://100.64.0.1/", "100.64.0.1"),
    ("http://10.0.0.5./", "10.0.0.5"),
]


@pytest.mark.parametrize(("url", "address"), BLOCKED)
def test_a_blocked_address_is_refused_in_every_spelling(alice: ApiClient, url: str, address: str) -> None:
    assert alice.post("/monitors", HTTP | {"url": url}) == refusal(
        f"url rejected: ip {address} is in a blocked range"
    )
    assert not Monitor.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "127.0.0.1",
        "http://",
        "http:///x",
        "http://user:pass@127.0.0.1/",
        "http://example.com@127.0.0.1/",
        "http://127.0.0.1\\@example.com/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://[fe80::1%25eth0]/",
        "http://[::1/",
        "http://a b/",
    ],
)
def test_what_is_no_proper_url_is_refused_with_a_reason(alice: ApiClient, url: str) -> None:
    status, body = alice.post("/monitors", HTTP | {"url": url})
    assert status == 400
    assert body["error"].startswith("url is invalid: ")


def test_a_host_that_does_not_resolve_is_refused(alice: ApiClient) -> None:
    assert alice.post("/monitors", HTTP | {"url": "http://no-such-host.invalid/"}) == refusal(
        "url rejected: host does not resolve"
    )


@pytest.mark.parametrize("domain", ["no-such-host.invalid", "invalid"])
def test_a_target_whose_owner_opted_out_is_refused(alice: ApiClient, domain: str) -> None:
    OptOut.objects.create(domain=domain)
    answer = refusal("url rejected: the owner of the target has opted out")
    for url in ("http://no-such-host.invalid/", "https://No-Such-Host.invalid.:8443/x"):
        assert alice.post("/monitors", HTTP | {"url": url}) == answer
    assert alice.post("/monitors", TCP | {"url": "no-such-host.invalid:80"}) == answer
    assert alice.post("/monitors", HTTP)[0] == 200


def test_a_tcp_port_outside_the_allowlist_is_refused_with_the_list(alice: ApiClient, settings: Any) -> None:
    settings.TCP_PORTS = ["80", "443"]
    assert alice.post("/monitors", TCP) == refusal("port 9 is not allowed for tcp monitors; allowed: 80, 443")


def test_the_same_url_and_type_twice_is_a_conflict_and_another_accounts_is_not(
    alice: ApiClient, bob: ApiClient
) -> None:
    assert alice.post("/monitors", HTTP)[0] == 200
    assert alice.post("/monitors", HTTP | {"name": "again"}) == refusal(
        "monitor for this URL already exists", 409
    )
    assert bob.post("/monitors", HTTP)[0] == 200


def test_an_account_holds_fifty_monitors(alice: ApiClient) -> None:
    for number in range(50):
        monitor(alice.account, url=f"http://127.0.0.1:9/{number}")
    assert alice.post("/monitors", HTTP) == refusal("monitor limit reached", 409)


def test_a_url_of_the_longest_kind_is_stored(alice: ApiClient) -> None:
    longest = "http://127.0.0.1:9/" + "é" * (2048 - 19)
    assert alice.post("/monitors", HTTP | {"url": longest})[0] == 200
    assert alice.post("/monitors", HTTP | {"url": longest})[0] == 409


def test_the_list_is_a_bare_array_with_the_state_flattened_in(alice: ApiClient, bob: ApiClient) -> None:
    first, second = (
        monitor(alice.account),
        monitor(alice.account, url="http://127.0.0.1:9/2", status="unknown"),
    )
    monitor(bob.account)
    MonitorState.objects.filter(pk=first.pk).update(last_check_at=NOW)
    status, body = alice.get("/monitors?limit=1&offset=7&status=down&type=tcp")
    assert status == 200
    assert [(each["id"], each["status"], each["last_check_at"]) for each in body] == [
        (first.pk, "up", "2026-11-21T12:00:00.000000Z"),
        (second.pk, "unknown", None),
    ]
    assert set(body[0]) == {
        *("id", "name", "url", "type", "interval_sec", "timeout_secs", "confirmation_count"),
        *("expected_status", "http_auth_type", "http_auth_configured", "enabled", "created_at"),
        *("status", "last_check_at"),
    }


def test_the_list_takes_as_many_queries_for_many_as_for_one(
    alice: ApiClient, django_assert_num_queries: Any
) -> None:
    for number in range(20):
        monitor(alice.account, url=f"http://127.0.0.1:9/{number}")
    alice.get("/monitors")
    with django_assert_num_queries(3):
        alice.get("/monitors")


def test_evidence_comes_newest_first_and_leaves_out_what_was_not_reached(alice: ApiClient) -> None:
    made = monitor(alice.account)
    refused = result(made, "down", "us", status_code=None, error_class="refused", error="nobody listens")
    record_evidence([result(made, "up", at=NOW - seconds(60), ttfb_ms=181.6, dns_ms=0.2), refused])
    _, body = alice.get(f"/monitors/{made.pk}")
    assert body["state"]["evidence_buffer"] == [
        {
            "region": "US",
            "timestamp": "2026-11-21T12:00:00.000000Z",
            "error_class": "refused",
            "error": "nobody listens",
            "total_ms": 12,
        },
        {
            "region": "EU",
            "timestamp": "2026-11-21T11:59:00.000000Z",
            "status_code": 200,
            "dns_ms": 0,
            "ttfb_ms": 182,
            "total_ms": 12,
        },
    ]


def test_of_a_certificate_its_end_is_shown_and_the_days_left_when_it_was_last_seen(alice: ApiClient) -> None:
    made = monitor(alice.account, type="ssl", url="127.0.0.1:9", options={})
    ends = unix_ms(NOW + seconds(30.5 * 86_400))
    certificate = Certificate(issuer="test", expires_at_ms=ends, chain_expires_at_ms=ends)
    record_evidence([result(made, "up", certificate=certificate, address="127.0.0.1", family=4)])
    record_evidence([result(made, "down", at=NOW + seconds(60))])
    state = alice.get(f"/monitors/{made.pk}")[1]["state"]
    refused, seen = state["evidence_buffer"]
    assert state["cert_days_left"] == 30
    assert (seen["cert_expires_at"], seen["family"]) == ("2026-12-22T00:00:00.000000Z", 4)
    assert "cert_expires_at" not in refused


def test_without_a_certificate_no_days_are_left(alice: ApiClient) -> None:
    made = monitor(alice.account)
    record_evidence([result(made, "up")])
    assert "cert_days_left" not in alice.get(f"/monitors/{made.pk}")[1]["state"]


@pytest.mark.parametrize("suffix", ["", "/webhook"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_ids_that_are_no_number_unknown_or_anothers(
    alice: ApiClient, bob: ApiClient, method: str, suffix: str
) -> None:
    theirs = monitor(bob.account)
    body = {"name": "mine now", "url": "http://127.0.0.1:9/hook"} if method == "PUT" else None
    for text in ("abc", "1.5", "-1", "1x", "%00", "٣"):
        assert alice(method, f"/monitors/{text}{suffix}", body) == refusal("invalid monitor ID")
    for unknown in (theirs.pk, 0, theirs.pk + 999, 10**30):
        assert alice(method, f"/monitors/{unknown}{suffix}", body) == refusal("monitor not found", 404)
    theirs.refresh_from_db()
    assert theirs.name == "site"


def test_an_update_keeps_what_it_does_not_name(alice: ApiClient) -> None:
    _, created = alice.post("/monitors", HTTP | {"expected_status": "204", "body_match": "fine"})
    path = f"/monitors/{created['monitor']['id']}"
    status, body = alice.put(path, {"name": "new"})
    assert (status, body["monitor"]) == (200, created["monitor"] | {"name": "new"})
    _, body = alice.put(path, {"body_match": None, "expected_status": "200", "interval_sec": 120})
    changed = created["monitor"] | {"name": "new", "expected_status": "200", "interval_sec": 120}
    changed.pop("body_match")
    assert body["monitor"] == changed
    assert alice.get(path)[1]["monitor"] == changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "name is required"),
        ({"interval_sec": 0}, "interval_sec must be at least 1"),
        ({"url": "http://10.0.0.5/"}, "url rejected: ip 10.0.0.5 is in a blocked range"),
        ({"type": "tcp"}, "type cannot be changed"),
        ({"name": "fine", "enabled": 1}, "enabled must be a boolean"),
    ],
)
def test_a_bad_update_changes_nothing(alice: ApiClient, change: dict[str, Any], message: str) -> None:
    made = monitor(alice.account)
    before = Monitor.objects.values().get()
    assert alice.put(f"/monitors/{made.pk}", change) == refusal(message)
    assert Monitor.objects.values().get() == before


def test_an_update_to_anothers_url_of_the_same_account_is_a_conflict(alice: ApiClient) -> None:
    first, second = monitor(alice.account), monitor(alice.account, url="http://127.0.0.1:9/2")
    assert alice.put(f"/monitors/{second.pk}", {"url": first.url}) == refusal(
        "monitor for this URL already exists", 409
    )


def test_a_deleted_monitor_is_gone_with_its_evidence(alice: ApiClient) -> None:
    made = monitor(alice.account)
    record_evidence([result(made, "up")])
    assert alice.delete(f"/monitors/{made.pk}") == (204, None)
    assert alice.get(f"/monitors/{made.pk}") == refusal("monitor not found", 404)
    assert alice.get("/monitors") == (200, [])
