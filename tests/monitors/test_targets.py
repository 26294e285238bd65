"""From stored options to what a probe is sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitors.targets import TARGETS
from probes.messages import BodyRule, HttpTarget, SealedHeader, TcpTarget

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


def test_a_port() -> None:
    assert TARGETS["tcp"]("[::1]:53", {}) == TcpTarget(host="::1", port=53)
