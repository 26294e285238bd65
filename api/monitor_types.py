"""The types of monitor that the API takes: how a URL of each is checked, and which fields fit it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.targets import (
    check_dns_name,
    check_http_url,
    check_ping_host,
    check_port_url,
    check_ssl_url,
    check_tcp_url,
)
from monitors import heartbeats


@dataclass(frozen=True)
class MonitorType:
    """One type. `options`: the name of a field on the wire, and of the option that it sets."""

    check_url: Callable[[str], list[str]]
    """Refuses a URL that does not fit; the addresses of the host, where one was looked up."""
    options: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    takes_credentials: bool = False
    is_named_by_us: bool = False
    """Its `url` is a mere name, and one is made up where none is given."""


def any_text(url: str) -> list[str]:
    """Refuse nothing: what is not looked at needs no address."""
    return []


OK_STATUS = {"expected_status": 200}
LATENCY = {"latency_warn_ms": "latency_warn_ms"}

MONITOR_TYPES = {
    "http": MonitorType(
        check_http_url,
        {"expected_status": "expected_status", "body_match": "body_match", **LATENCY},
        OK_STATUS,
        takes_credentials=True,
    ),
    "tcp": MonitorType(check_tcp_url, LATENCY),
    "port": MonitorType(check_port_url, {"protocol": "protocol", **LATENCY}, {"protocol": "tcp"}),
    "ping": MonitorType(check_ping_host, LATENCY),
    "dns": MonitorType(
        check_dns_name,
        {
            "dns_record_type": "record_type",
            "dns_expected_value": "expected_value",
            "dns_resolver": "resolver",
            **LATENCY,
        },
        {"record_type": "A"},
    ),
    "ssl": MonitorType(check_ssl_url, {"ssl_warn_days": "warn_days", **LATENCY}, {"warn_days": 30}),
    "keyword": MonitorType(
        check_http_url,
        {
            "expected_status": "expected_status",
            "keyword": "body_match",
            "keyword_type": "body_is_negated",
            "keyword_match": "body_is_regex",
            **LATENCY,
        },
        {**OK_STATUS, "body_is_negated": False, "body_is_regex": False},
        required=("keyword",),
        takes_credentials=True,
    ),
    heartbeats.TYPE: MonitorType(
        any_text,
        {
            "heartbeat_grace_secs": "grace_seconds",
            "heartbeat_cron": "cron",
            "heartbeat_timezone": "timezone",
        },
        {"grace_seconds": 60, "timezone": "UTC"},
        is_named_by_us=True,
    ),
}
