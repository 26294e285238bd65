"""From stored options to what a probe is sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitors.targets import TARGETS
from probes.messages import (
    BodyRule,
    DnsTarget,
    HttpTarget,
    PingTarget,
    SealedHeader,
    SslTarget,
    Target,
    TcpTarget,
    UdpTarget,
)
from probes.protocols import PROBES

URL = "https://example.com/"


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({"expected_status": 204}, HttpTarget(url=URL, expected_status=((204, 204),))),
        (
            {"expected_status": [[200, 299], [418, 418]], "body_match": None, "method": None},
            HttpTarget(url=URL, expected_status=((200, 299), (418, 418))),
        ),
        (
            {"expected_status": 200, "body_match": "o.", "body_is_regex": True, "body_is_negated": True},
            HttpTarget(url=URL, body_rule=BodyRule(text="o.", is_regex=True, is_negated=True)),
        ),
        (
            {
                "expected_status": 200,
                "method": "POST",
                "headers": [["X-Id", "7"]],
                "auth": {"name": "Authorization", "token": "t", "account_id": 5},
                "body": "{}",
                "max_latency_ms": 900,
                "follow_redirects": False,
                "http_version": "2",
                "ip_version": 6,
            },
            HttpTarget(
                url=URL,
                method="POST",
                headers=(("X-Id", "7"),),
                auth=SealedHeader(name="Authorization", token="t", account_id=5),
                body="{}",
                max_latency_ms=900,
                follow_redirects=False,
                http_version="2",
                ip_version=6,
            ),
        ),
    ],
)
def test_http_options(options: dict[str, Any], target: HttpTarget) -> None:
    assert TARGETS["http"](URL, options) == target


def test_a_keyword_monitor_has_its_rule() -> None:
    target = TARGETS["keyword"](URL, {"expected_status": 200, "body_match": "ok"})
    assert target == HttpTarget(url=URL, body_rule=BodyRule(text="ok"))
    with pytest.raises(KeyError):
        TARGETS["keyword"](URL, {"expected_status": 200})


def test_an_option_that_the_message_cannot_carry_is_no_target() -> None:
    with pytest.raises(msgspec.ValidationError):
        TARGETS["http"](URL, {"expected_status": 200, "ip_version": 5})


OTHERS: list[tuple[str, str, dict[str, Any], Target]] = [
    ("tcp", "[::1]:53", {}, TcpTarget(host="::1", port=53)),
    (
        "tcp",
        "tcp://a.example:1",
        {"tls": True, "ip_version": 4},
        TcpTarget(host="a.example", port=1, tls=True, ip_version=4),
    ),
    ("ssl", "Example.com", {}, SslTarget(host="example.com")),
    (
        "ssl",
        "mx.example:25",
        {"warn_days": 14, "starttls": "smtp"},
        SslTarget(host="mx.example", port=25, warn_days=14, starttls="smtp"),
    ),
    (
        "port",
        "a.example:53",
        {"protocol": "udp", "payload": "x"},
        UdpTarget(host="a.example", port=53, payload="x"),
    ),
    ("port", "port://[2001:db8::1]:53", {"protocol": "tcp"}, TcpTarget(host="2001:db8::1", port=53)),
    ("ping", "2606:4700::1", {}, PingTarget(host="2606:4700::1")),
    ("ping", "bücher.example", {"ip_version": 6}, PingTarget(host="xn--bcher-kva.example", ip_version=6)),
    (
        "dns",
        "_dmarc.example.com.",
        {"record_type": "TXT", "expected_value": "v=DMARC1", "resolver": "1.1.1.1:53"},
        DnsTarget(
            name="_dmarc.example.com", record_type="TXT", expected_value="v=DMARC1", resolver="1.1.1.1:53"
        ),
    ),
]


@pytest.mark.parametrize(("kind", "url", "options", "target"), OTHERS)
def test_the_other_types(kind: str, url: str, options: dict[str, Any], target: Target) -> None:
    assert TARGETS[kind](url, options) == target


def test_every_target_of_the_messages_can_be_made() -> None:
    assert {type(target) for _, _, _, target in OTHERS} | {HttpTarget} == set(PROBES)
