"""From a monitor's configuration to what its probe measures: one function a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from probes.messages import DnsTarget, HttpTarget, PingTarget, SslTarget, Target, TcpTarget, UdpTarget
from probes.url import parse_address, parse_host, parse_http_url

Options = dict[str, Any]

HTTP_SCHEMES = ("http://", "https://")

HTTP_OPTIONS = (
    "method",
    "headers",
    "auth",
    "body",
    "max_latency_ms",
    "follow_redirects",
    "http_version",
    "ip_version",
)
"""Optional, and named and shaped as the fields of `HttpTarget`."""


def http_target(url: str, options: Options) -> Target:
    """`options`: `expected_status`, a status or ranges `[[low, high], …]`; and those that are asked for.

    These are `HTTP_OPTIONS` and `body_match` (text), with `body_is_regex` and `body_is_negated` (bool).
    """
    status = options["expected_status"]
    fields = _given(options, HTTP_OPTIONS) | {
        "url": url,
        "expected_status": [(status, status)] if isinstance(status, int) else status,
        "body_rule": _body_rule(options),
    }
    return msgspec.convert(fields | {"type": "http"}, HttpTarget)


def keyword_target(url: str, options: Options) -> Target:
    """As http, but with a `body_match` always."""
    return http_target(url, options | {"body_match": options["body_match"]})


def tcp_target(url: str, options: Options) -> Target:
    """`url` as `host:port` or `tcp://host:port`. `options`: `tls` (bool), `ip_version`."""
    host, port = parse_address(url, "tcp")
    given = _given(options, ("tls", "ip_version"))
    return msgspec.convert({"type": "tcp", "host": host, "port": port, **given}, TcpTarget)


def ssl_target(url: str, options: Options) -> Target:
    """`url` as `ssl_address` takes it. `options`: `warn_days`, `starttls`, `ip_version`."""
    host, port = ssl_address(url)
    given = _given(options, ("warn_days", "starttls", "ip_version"))
    return msgspec.convert({"type": "ssl", "host": host, "port": port, **given}, SslTarget)


def udp_target(url: str, options: Options) -> Target:
    """`url` as `host:port`. `options`: `payload` (text), `ip_version`."""
    host, port = parse_address(url, "udp")
    given = _given(options, ("payload", "ip_version"))
    return msgspec.convert({"type": "udp", "host": host, "port": port, **given}, UdpTarget)


def port_target(url: str, options: Options) -> Target:
    """`url` as `host:port` or `port://host:port`. `options`: `protocol`, tcp or udp, and theirs."""
    host, port = parse_address(url, "port")
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return {"tcp": tcp_target, "udp": udp_target}[options["protocol"]](address, options)


def ping_target(url: str, options: Options) -> Target:
    """`url` as `bare_host` takes it. `options`: `ip_version`."""
    given = _given(options, ("ip_version",))
    return msgspec.convert({"type": "ping", "host": bare_host(url), **given}, PingTarget)


def dns_target(url: str, options: Options) -> Target:
    """`url` as `bare_host` has it. `options`: `record_type`, `expected_value`, `resolver` (`host[:port]`)."""
    given = _given(options, ("record_type", "expected_value", "resolver"))
    return msgspec.convert({"type": "dns", "name": bare_host(url), **given}, DnsTarget)


TARGETS: dict[str, Callable[[str, Options], Target]] = {
    "http": http_target,
    "keyword": keyword_target,
    "tcp": tcp_target,
    "ssl": ssl_target,
    "port": port_target,
    "ping": ping_target,
    "dns": dns_target,
}


def host_of(target: Target) -> str:
    """The host that a probe looks at; of dns, the name that it asks for."""
    if isinstance(target, HttpTarget):
        return parse_http_url(target.url).host
    return target.name if isinstance(target, DnsTarget) else target.host


def ssl_address(url: str) -> tuple[str, int]:
    """Host and port in `host`, `host:port`, `ssl://host:port` or an http(s) URL; raises `BadUrl`."""
    if url.startswith(HTTP_SCHEMES):
        parsed = parse_http_url(url)
        return parsed.host, parsed.port
    return parse_address(url, "ssl", default_port=443)


def bare_host(url: str) -> str:
    """The host in `host` or an http(s) URL; raises `BadUrl`."""
    return parse_http_url(url).host if url.startswith(HTTP_SCHEMES) else parse_host(url)


def _given(options: Options, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: options[name] for name in names if options.get(name) is not None}


def _body_rule(options: Options) -> dict[str, Any] | None:
    if options.get("body_match") is None:
        return None
    flags = ("is_regex", "is_negated")
    return {"text": options["body_match"]} | {flag: options.get(f"body_{flag}", False) for flag in flags}
