"""The wire format of agents: what they are told to look at, and what their results mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from accounts.models import Server
from api.errors import Refusal
from api.fields import CONTROL
from monitors.assignments import region_of
from monitors.models import Monitor
from monitors.targets import TARGETS
from probes.agent.messages import CLASSES, Check, CheckConfig, CheckType, Heartbeat, Result
from probes.errors import ErrorClass
from probes.instants import unix_ms
from probes.messages import Certificate, HttpTarget, ProbeResult, SslTarget, TcpTarget

MS_A_DAY = 86_400_000
LAST_MS = unix_ms(datetime(9999, 12, 31, tzinfo=UTC))
"""A certificate without an end has this day for one, and its agent may have a clock that is ahead."""
CHECK_TYPES: dict[str, CheckType] = {"http": "http", "tcp": "tcp", "ssl": "tls_expiry"}
UNSTATED = {"http": ErrorClass.HTTP_STATUS, "tcp": ErrorClass.REFUSED, "ssl": ErrorClass.TLS}
"""What a failure is taken for whose kind its agent does not tell."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: text that is not UTF-8 is no error of msgspec's own."""


def heartbeat_in(body: bytes) -> Heartbeat:
    """The heartbeat in a request's body; members that are not known are ignored."""
    try:
        return msgspec.json.decode(body, type=Heartbeat)
    except UNREADABLE as error:
        raise Refusal(400, "invalid request body") from error


def identity(heartbeat: Heartbeat) -> tuple[str, str]:
    """Host name and version as they can be stored and shown."""
    hostname, version = heartbeat.hostname or "", heartbeat.agent_version or ""
    return CONTROL.sub("", hostname)[:255], CONTROL.sub("", version)[:64]


def looks_in(
    heartbeat: Heartbeat, monitors: Mapping[int, Monitor], server: Server, now: datetime
) -> list[ProbeResult]:
    """The results that are well-formed, and of these monitors; others are dropped."""
    looks = []
    for raw in heartbeat.uptime_results or []:
        try:
            result = msgspec.json.decode(raw, type=Result)
        except UNREADABLE:
            continue
        if result.check_id in monitors:
            looks.append(_look(result, monitors[result.check_id], server, now))
    return looks


def checks_body(monitors: Iterable[Monitor]) -> list[Any]:
    """What an agent is to look at."""
    return [msgspec.to_builtins(check_of(monitor)) for monitor in monitors]


def check_of(monitor: Monitor) -> Check:
    """A monitor as its agents are told of it."""
    target = TARGETS[monitor.type](monitor.url, monitor.options)
    assert isinstance(target, HttpTarget | TcpTarget | SslTarget)  # noqa: S101  # see `ASSIGNABLE`
    return Check(
        id=monitor.pk,
        type=CHECK_TYPES[monitor.type],
        target=target.url if isinstance(target, HttpTarget) else f"{target.host}:{target.port}",
        timeout_seconds=-(-monitor.timeout_ms // 1000),
        config=_config(target, monitor.options.get("max_latency_ms")),
        interval_seconds=monitor.state.interval_seconds,
        config_version=monitor.state.config_version,
        latency_warn_ms=monitor.options.get("latency_warn_ms"),
        probe=target,
    )


def _config(target: HttpTarget | TcpTarget | SslTarget, max_latency_ms: int | None) -> CheckConfig:
    if isinstance(target, SslTarget):
        return CheckConfig(max_latency_ms=max_latency_ms, warn_days_before_expiry=target.warn_days)
    if isinstance(target, TcpTarget):
        return CheckConfig(max_latency_ms=max_latency_ms)
    ranges = [f"{low}" if low == high else f"{low}-{high}" for low, high in target.expected_status]
    rule = target.body_rule
    is_plain = rule is not None and not rule.is_regex and not rule.is_negated
    return CheckConfig(
        expected_status_codes=",".join(ranges),
        max_latency_ms=max_latency_ms,
        body_contains=rule.text if rule and is_plain else None,
        follow_redirects=target.follow_redirects,
    )


def _look(result: Result, monitor: Monitor, server: Server, now: datetime) -> ProbeResult:
    error_class = _class_of(result, monitor)
    # An agent that does not tell when it looked has just done so.
    at_ms = unix_ms(now) if result.checked_at_ms is None else result.checked_at_ms
    return ProbeResult(
        monitor_id=monitor.pk,
        config_version=result.config_version or monitor.state.config_version,
        scheduled_at_ms=at_ms,
        region=region_of(server.pk),
        outcome=error_class.outcome if error_class else "up",
        started_at_ms=at_ms,
        total_ms=result.latency_ms or 0.0,
        error_class=error_class or "",
        error=result.error_message or "",
        status_code=result.status_code or None,
        certificate=_certificate(result.cert_days_left, at_ms),
    )


def _certificate(days_left: int | None, at_ms: int) -> Certificate | None:
    if days_left is None:
        return None
    ends_ms = min(at_ms + days_left * MS_A_DAY, LAST_MS)
    return Certificate(issuer="", expires_at_ms=ends_ms, chain_expires_at_ms=ends_ms)


def _class_of(result: Result, monitor: Monitor) -> ErrorClass | None:
    """Our word for what the agent saw; None: all is well."""
    if result.ok and _is_late(result, monitor):
        return ErrorClass.LATENCY
    ours = _known(result.error_class)
    if ours and (ours.outcome == "up") == bool(result.ok):
        return ours
    if result.ok:
        return ErrorClass.CERT_EXPIRING if _is_expiring(result, monitor) else None
    kind = CLASSES[result.error_kind] if result.error_kind else UNSTATED[monitor.type]
    if kind is ErrorClass.HTTP_STATUS and (result.status_code or 0) >= 400:
        return ErrorClass.HTTP_5XX if (result.status_code or 0) >= 500 else ErrorClass.HTTP_4XX
    return kind


def _is_expiring(result: Result, monitor: Monitor) -> bool:
    left, warn_days = result.cert_days_left, monitor.options.get("warn_days")
    return left is not None and warn_days is not None and left < warn_days


def _is_late(result: Result, monitor: Monitor) -> bool:
    """Whether it took longer than it may; agents need not compare, and ours does so of http alone."""
    most_ms = monitor.options.get("max_latency_ms")
    return most_ms is not None and result.latency_ms is not None and result.latency_ms > most_ms


def _known(error_class: str | None) -> ErrorClass | None:
    return next((each for each in ErrorClass if each == error_class), None)
