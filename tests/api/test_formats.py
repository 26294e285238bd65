"""The matrix: a monitor that one format made is in every other that has its type, and means the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from api.dialects.tcp_monitors.ids import encoded
from monitors.assignments import server_ids
from monitors.models import Monitor
from monitors.targets import TARGETS
from probes.messages import Target
from tests.api.conftest import ApiClient
from tests.make import server


@dataclass(frozen=True)
class Meaning:
    """What a monitor is, whatever it is called."""

    name: str
    target: Target | dict[str, Any]
    """Of a heartbeat its rhythm: it has no target."""
    interval_seconds: int
    timeout_ms: int
    confirmation_count: int
    latency_warn_ms: int | None
    enabled: bool
    servers: list[int]
    muted_events: list[str]


def stored(made: Monitor) -> Meaning:
    return Meaning(
        made.name,
        TARGETS[made.type](made.url, made.options) if made.type in TARGETS else made.options,
        made.interval_seconds,
        made.timeout_ms,
        made.confirmation_count,
        made.options.get("latency_warn_ms"),
        made.enabled,
        server_ids(made),
        made.muted_events,
    )


SHARED = {"name": "site", "confirmation_count": 3, "latency_warn_ms": 700, "timeout_secs": 7}
URL = "http://127.0.0.1:9/"
KEYWORD = {"keyword": "ok", "keyword_type": "not_contains", "keyword_match": "regex"}
DNS = {"dns_record_type": "MX", "dns_expected_value": "mail", "dns_resolver": "127.0.0.1:53"}
NATIVE_ONLY = [("tcp", {"url": "tcp://127.0.0.1:9"}), ("http", {"url": URL, "body_match": "ok"})]
BOTH: list[tuple[str, str, dict[str, Any]]] = [
    ("http", URL, {"expected_status": 204}),
    ("keyword", URL, KEYWORD),
    ("port", "127.0.0.1:9", {"protocol": "tcp"}),
    ("port", "127.0.0.1:9", {"protocol": "udp"}),
    ("ssl", "127.0.0.1:8443", {"ssl_warn_days": 7}),
    ("dns", "example.com", DNS),
    ("heartbeat", "backup", {"heartbeat_grace_secs": 30, "heartbeat_secret": "a long secret"}),
    ("heartbeat", "report", {"heartbeat_cron": "0 5 * * *", "heartbeat_timezone": "Europe/Berlin"}),
]
BODIES = [
    *[("native", SHARED | {"type": type_, "interval_sec": 90} | rest) for type_, rest in NATIVE_ONLY],
    *[
        ("native", SHARED | {"type": type_, "url": url, "interval_sec": 90} | rest)
        for type_, url, rest in BOTH
    ],
    *[
        ("flat", SHARED | {"type": type_, "target": url, "interval_secs": 90} | rest)
        for type_, url, rest in BOTH
    ],
    ("tcp", {"name": "site", "host": "127.0.0.1", "port": 9, "timeoutMs": 7000, "intervalSeconds": 90}),
]
WATCHED: list[tuple[str, dict[str, Any]]] = [
    ("http", {"target": "http://10.0.0.5/", "expected_status_codes": "200,300-399", "body_contains": "ok"}),
    ("http", {"target": "http://10.0.0.6/", "expected_status_codes": "204", "follow_redirects": 0}),
    ("tcp", {"target": "10.0.0.5:5432", "max_latency_ms": 700}),
    ("tls_expiry", {"target": "10.0.0.5:443", "alert_on_recovery": 1}),
]
"""By /uptime-checks, whose interval is not asked for."""
BODIES += [
    ("checks", {"name": "site", "check_type": type_, "timeout_seconds": 7, "probe_server_ids": [], **rest})
    for type_, rest in WATCHED
]
NAMES = [
    f"{format_} {body.get('type', body.get('check_type', ''))} {body.get('protocol', '')}"
    for format_, body in BODIES
]


@pytest.fixture
def clients(
    alice: ApiClient, flat_alice: ApiClient, tcp_alice: ApiClient, check_alice: ApiClient
) -> dict[str, ApiClient]:
    alice.base, flat_alice.base = "/api/v1/monitors", "/api/v1/monitors"
    return {"native": alice, "flat": flat_alice, "tcp": tcp_alice, "checks": check_alice}


def fetched(name: str, client: ApiClient, made: Monitor) -> tuple[int, Any]:
    """The path's status and the monitor's fields, in a format."""
    id_ = encoded(made.pk) if name == "tcp" else str(made.pk)
    status, answer = client.get(f"/{id_}")
    within: dict[str, Callable[[Any], Any]] = {
        "native": lambda whole: whole["monitor"],
        "flat": lambda whole: whole,
        "tcp": lambda whole: whole["data"],
        "checks": lambda whole: whole["check"] | {"probe_server_ids": server_ids(made)},
    }
    return status, within[name](answer) if status == 200 else None


OPTIONS = (
    " dns_record_type dns_expected_value dns_resolver"
    " heartbeat_grace_secs heartbeat_cron heartbeat_timezone heartbeat_secret"
)


def sendable(name: str, shown: dict[str, Any]) -> dict[str, Any]:
    """What a client of a format would send, of what it was shown: all that can be set."""
    settable = {
        "native": "name url type interval_sec timeout_secs confirmation_count enabled expected_status "
        "body_match protocol keyword keyword_type keyword_match ssl_warn_days latency_warn_ms "
        "servers muted_events",
        "flat": "name target type interval_secs timeout_secs confirmation_count enabled expected_status "
        "protocol keyword keyword_type keyword_match ssl_warn_days latency_warn_ms",
        "tcp": "name host port timeoutMs intervalSeconds isEnabled",
        "checks": "name check_type target enabled expected_status_codes max_latency_ms body_contains "
        "follow_redirects tls_warn_days_before_expiry timeout_seconds probe_server_ids "
        "alert_on_down alert_on_recovery alert_on_cert_expiry",
    }[name] + OPTIONS * (name in ("native", "flat"))
    return {field: shown[field] for field in settable.split() if shown.get(field) is not None}


def is_there(name: str, made: Monitor) -> bool:
    """Whether the format has monitors like this one."""
    if name == "tcp":
        return made.type == "tcp" or made.options.get("protocol") == "tcp"
    return name != "checks" or bool(server_ids(made))


def sent(clients: dict[str, ApiClient], body: dict[str, Any]) -> dict[str, Any]:
    """The body, with two servers where some are wanted."""
    if "probe_server_ids" not in body:
        return body
    servers = [server(clients["native"].account).pk for _ in range(2)]
    return body | {"probe_server_ids": servers}


@pytest.mark.parametrize(("format_", "body"), BODIES, ids=NAMES)
def test_it_is_readable_in_every_format_and_written_back_it_means_the_same(
    clients: dict[str, ApiClient], format_: str, body: dict[str, Any]
) -> None:
    status, answer = clients[format_].post("", sent(clients, body))
    assert status in (200, 201), answer
    made = Monitor.objects.get()
    before = stored(made)
    assert (before.interval_seconds, before.timeout_ms) == (60 if format_ == "checks" else 90, 7000)
    for name, client in clients.items():
        status, shown = fetched(name, client, made)
        assert status == (200 if is_there(name, made) else 404)
        if shown is None:
            continue
        path = f"/{encoded(made.pk) if name == 'tcp' else made.pk}"
        assert client.put(path, sendable(name, shown))[0] == 200
        assert stored(Monitor.objects.get()) == before
        assert (
            fetched(name, client, made)[1].items()
            >= {field: value for field, value in shown.items() if "pdated" not in field}.items()
        )


@pytest.mark.parametrize(("format_", "body"), BODIES, ids=NAMES)
def test_what_one_format_changes_shows_in_the_others(
    clients: dict[str, ApiClient], format_: str, body: dict[str, Any]
) -> None:
    clients[format_].post("", sent(clients, body))
    made = Monitor.objects.get()
    for name, client in clients.items():
        if not is_there(name, made):
            continue
        path = f"/{encoded(made.pk) if name == 'tcp' else made.pk}"
        assert client.put(path, {"name": f"by {name}"})[0] == 200
        for other, reader in clients.items():
            status, shown = fetched(other, reader, made)
            assert status == 404 or shown["name"] == f"by {name}"
