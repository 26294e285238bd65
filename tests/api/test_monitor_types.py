"""Each type of monitor: the URLs that it takes, the fields that fit it, and what its probe is told."""

from __future__ import annotations

from typing import Any

import pytest

from api.monitor_types import MONITOR_TYPES
from monitors.models import Monitor
from monitors.targets import TARGETS
from probes.messages import (
    BodyRule,
    DnsTarget,
    HttpTarget,
    PingTarget,
    SslTarget,
    Target,
    TcpTarget,
    UdpTarget,
)
from tests.api.conftest import ApiClient

HOST = "127.0.0.1"


def create(client: ApiClient, type_: str, url: str, **fields: Any) -> tuple[int, Any]:
    return client.post("/monitors", {"name": "m", "type": type_, "url": url, **fields})


def target() -> Target:
    made = Monitor.objects.get()
    return TARGETS[made.type](made.url, made.options)


@pytest.mark.parametrize(
    ("type_", "url", "fields", "probed"),
    [
        ("http", f"http://{HOST}/", {}, HttpTarget(url=f"http://{HOST}/")),
        ("tcp", f"{HOST}:22", {}, TcpTarget(host=HOST, port=22)),
        ("port", f"{HOST}:22", {"protocol": "tcp"}, TcpTarget(host=HOST, port=22)),
        ("port", f"port://{HOST}:53", {"protocol": "udp"}, UdpTarget(host=HOST, port=53)),
        ("ping", HOST, {}, PingTarget(host=HOST)),
        ("ping", f"https://{HOST}/x", {}, PingTarget(host=HOST)),
        ("ssl", HOST, {}, SslTarget(host=HOST, warn_days=30)),
        ("ssl", f"https://{HOST}:8443/", {"ssl_warn_days": 7}, SslTarget(host=HOST, port=8443, warn_days=7)),
        ("dns", "gone.invalid", {}, DnsTarget(name="gone.invalid")),
        (
            "dns",
            "example.com",
            {"dns_record_type": "MX", "dns_expected_value": "mail", "dns_resolver": f"{HOST}:5353"},
            DnsTarget(name="example.com", record_type="MX", expected_value="mail", resolver=f"{HOST}:5353"),
        ),
        (
            "keyword",
            f"http://{HOST}/",
            {"keyword": "ok"},
            HttpTarget(url=f"http://{HOST}/", body_rule=BodyRule(text="ok")),
        ),
        (
            "keyword",
            f"http://{HOST}/",
            {"keyword": "err(or)?", "keyword_type": "not_contains", "keyword_match": "regex"},
            HttpTarget(
                url=f"http://{HOST}/", body_rule=BodyRule(text="err(or)?", is_regex=True, is_negated=True)
            ),
        ),
    ],
)
def test_what_is_asked_for_is_what_is_probed_and_shown(
    alice: ApiClient, type_: str, url: str, fields: dict[str, Any], probed: Target
) -> None:
    status, body = create(alice, type_, url, **fields)
    assert status == 200
    assert target() == probed
    shown = alice.get(f"/monitors/{body['monitor']['id']}")[1]["monitor"]
    assert shown == body["monitor"]
    assert {name: shown[name] for name in fields} == fields
    assert shown["url"] == url


@pytest.mark.parametrize(
    ("type_", "url", "fields", "message"),
    [
        ("ping", "10.0.0.5", {}, "url rejected: ip 10.0.0.5 is in a blocked range"),
        ("ping", "no-such-host.invalid", {}, "url rejected: host does not resolve"),
        ("ssl", "10.0.0.5:443", {}, "url rejected: ip 10.0.0.5 is in a blocked range"),
        ("ssl", "ftp://example.com", {}, "url is invalid: the scheme must be ssl"),
        ("dns", "a b", {}, "url is invalid: "),
        ("dns", "x.invalid", {"dns_record_type": "ANY"}, "dns_record_type must be one of: A, AAAA, MX"),
        ("dns", "x.invalid", {"dns_resolver": "10.0.0.5"}, "url rejected: ip 10.0.0.5 is in a blocked range"),
        ("dns", "x.invalid", {"dns_resolver": "a:b:c"}, "dns_resolver is invalid: "),
        ("keyword", f"http://{HOST}/", {}, "keyword is required"),
        ("keyword", f"http://{HOST}/", {"keyword": "x" * 1025}, "keyword must be 1024 characters or less"),
        (
            "keyword",
            f"http://{HOST}/",
            {"keyword": "x", "keyword_type": "has"},
            "keyword_type must be one of",
        ),
        (
            "keyword",
            f"http://{HOST}/",
            {"keyword": "(?=x)", "keyword_match": "regex"},
            "keyword is not a valid pattern: ",
        ),
        ("ssl", HOST, {"ssl_warn_days": -1}, "ssl_warn_days must be at least 0"),
        ("http", f"http://{HOST}/", {"timeout_secs": 31}, "timeout_secs must be at most 30"),
        ("http", f"http://{HOST}/", {"timeout_secs": 0}, "timeout_secs must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    alice: ApiClient, type_: str, url: str, fields: dict[str, Any], message: str
) -> None:
    status, body = create(alice, type_, url, **fields)
    assert status == 400
    assert body["error"].startswith(message)
    assert not Monitor.objects.exists()


def test_fields_of_other_types_are_ignored(alice: ApiClient) -> None:
    _, body = create(alice, "tcp", f"{HOST}:22", expected_status="404", keyword="x", ssl_warn_days=3)
    assert not {"expected_status", "keyword", "ssl_warn_days"} & set(body["monitor"])
    assert target() == TcpTarget(host=HOST, port=22)


def test_an_update_changes_an_option_and_keeps_the_others(alice: ApiClient) -> None:
    _, body = create(alice, "dns", "example.com", dns_record_type="MX", dns_expected_value="mail")
    path = f"/monitors/{body['monitor']['id']}"
    _, changed = alice.put(path, {"dns_expected_value": None, "timeout_secs": 3})
    assert changed["monitor"]["dns_record_type"] == "MX"
    assert "dns_expected_value" not in changed["monitor"]
    assert changed["monitor"]["timeout_secs"] == 3
    assert Monitor.objects.get().timeout_ms == 3_000


def test_a_port_is_tcp_unless_it_says_udp(alice: ApiClient) -> None:
    _, body = create(alice, "port", f"{HOST}:22")
    assert body["monitor"]["protocol"] == "tcp"
    assert target() == TcpTarget(host=HOST, port=22)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_port_must_be_allowed(alice: ApiClient, settings: Any, protocol: str) -> None:
    settings.TCP_PORTS = ["80", "443"]
    refusal = {"error": "port 22 is not allowed for port monitors; allowed: 80, 443"}
    assert create(alice, "port", f"{HOST}:22", protocol=protocol) == (400, refusal)


@pytest.mark.parametrize("type_", sorted(set(MONITOR_TYPES) & set(TARGETS)))
def test_every_type_can_be_warned_of_latency_and_be_confirmed_more_than_once(
    alice: ApiClient, type_: str
) -> None:
    url = {"http": f"http://{HOST}/", "keyword": f"http://{HOST}/", "ping": HOST, "dns": "x.example"}
    given = {"latency_warn_ms": 300, "confirmation_count": 3}
    _, body = create(alice, type_, url.get(type_, f"{HOST}:22"), keyword="ok", **given)
    assert {name: body["monitor"][name] for name in given} == given
    _, changed = alice.put(f"/monitors/{body['monitor']['id']}", {"latency_warn_ms": None})
    assert "latency_warn_ms" not in changed["monitor"]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("latency_warn_ms", 0, "latency_warn_ms must be at least 1"),
        ("latency_warn_ms", 30_001, "latency_warn_ms must be at most 30000"),
        ("confirmation_count", 0, "confirmation_count must be at least 1"),
        ("confirmation_count", 11, "confirmation_count must be at most 10"),
        ("protocol", "sctp", "protocol must be one of: tcp, udp"),
    ],
)
def test_bounds_are_named(alice: ApiClient, field: str, value: object, sentence: str) -> None:
    assert create(alice, "port", f"{HOST}:22", **{field: value}) == (400, {"error": sentence})


def test_types_and_targets_are_the_same_but_for_what_reports_by_itself() -> None:
    assert set(MONITOR_TYPES) ^ set(TARGETS) == {"heartbeat"}
