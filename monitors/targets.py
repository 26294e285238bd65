"""From a monitor's configuration to what its probe measures: one function a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from probes.messages import HttpTarget, Target, TcpTarget
from probes.url import parse_tcp_url

Options = dict[str, Any]


def http_target(url: str, options: Options) -> Target:
    """`options`: `expected_status` (int) and, where it is asked for, `body_match`."""
    return HttpTarget(
        url=url, expected_status=options["expected_status"], body_match=options.get("body_match")
    )


def tcp_target(url: str, options: Options) -> Target:
    """`url` as `host:port` or `tcp://host:port`."""
    parsed = parse_tcp_url(url)
    return TcpTarget(host=parsed.host, port=parsed.port)


TARGETS: dict[str, Callable[[str, Options], Target]] = {
    "http": http_target,
    "tcp": tcp_target,
}
