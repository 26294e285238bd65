"""What an agent and the service say to each other, in JSON over HTTPS: typed once, for both.

The names of the fields are those of a published contract, which agents of others speak, too. Fields that it
does not know are ours, and all of them may be left out by an agent.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from probes.errors import ErrorClass
from probes.messages import HttpTarget, SslTarget, TcpTarget

LARGEST_BODY_BYTES = 64 * 1024
HEARTBEAT_SECONDS = 30

CheckType = Literal["http", "tcp", "tls_expiry"]
ErrorKind = Literal[
    "timeout", "http_status", "latency_high", "body_mismatch", "tcp_refused", "tls_fail", "cert_expired"
]

CLASSES: dict[ErrorKind, ErrorClass] = {
    "timeout": ErrorClass.TIMEOUT,
    "http_status": ErrorClass.HTTP_STATUS,
    "latency_high": ErrorClass.LATENCY,
    "body_mismatch": ErrorClass.BODY_MISMATCH,
    "tcp_refused": ErrorClass.REFUSED,
    "tls_fail": ErrorClass.TLS,
    "cert_expired": ErrorClass.CERT_EXPIRED,
}
KINDS: dict[ErrorClass, ErrorKind] = {
    # Of no connection the contract has no other word.
    ErrorClass.DNS: "tcp_refused",
    ErrorClass.DNS_NXDOMAIN: "tcp_refused",
    ErrorClass.DNS_SERVFAIL: "tcp_refused",
    ErrorClass.DNS_REFUSED: "tcp_refused",
    ErrorClass.UNREACHABLE: "tcp_refused",
    ErrorClass.RESET: "tcp_refused",
    ErrorClass.REFUSED: "tcp_refused",
    ErrorClass.CONNECT_TIMEOUT: "timeout",
    ErrorClass.TIMEOUT: "timeout",
    ErrorClass.TLS: "tls_fail",
    ErrorClass.CERT_INVALID: "tls_fail",
    ErrorClass.CERT_EXPIRED: "cert_expired",
    ErrorClass.PROTOCOL: "http_status",
    ErrorClass.REDIRECT: "http_status",
    ErrorClass.HTTP_4XX: "http_status",
    ErrorClass.HTTP_5XX: "http_status",
    ErrorClass.HTTP_STATUS: "http_status",
    ErrorClass.BODY_MISMATCH: "body_mismatch",
    ErrorClass.TOO_LARGE: "body_mismatch",
    ErrorClass.LATENCY: "latency_high",
}
"""The contract's word for each failure that an agent's checks can have."""


class CheckConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer must look like; null where a check does not ask for it."""

    expected_status_codes: str | None = None
    max_latency_ms: int | None = None
    body_contains: str | None = None
    follow_redirects: bool | None = None
    warn_days_before_expiry: int | None = None


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor as its agents are told of it. What follows `config` is ours."""

    id: int
    type: CheckType
    target: str
    timeout_seconds: int
    config: CheckConfig
    interval_seconds: int
    config_version: int
    latency_warn_ms: int | None = None
    probe: HttpTarget | TcpTarget | SslTarget
    """All that our engine takes, also what `config` has no word for."""


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent saw. The last three fields are ours."""

    check_id: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    ok: bool | Literal[0, 1]
    status_code: Annotated[int, Meta(ge=0, le=999)] | None = None
    latency_ms: Annotated[float, Meta(ge=0, le=10**9)] | None = None
    body_matched: bool | Literal[0, 1] | None = None
    cert_days_left: Annotated[int, Meta(ge=-36_500, le=3 * 10**6)] | None = None
    """It ended a century ago at most: of more there may be no date."""
    error_kind: ErrorKind | None = None
    error_message: str | None = None
    error_class: str | None = None
    """The kind in our words, of which there are more."""
    checked_at_ms: Annotated[int, Meta(ge=0, le=10**14)] | None = None
    """With it a result that comes twice counts once, and one that comes late in its place."""
    config_version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    """The one of the check that was carried out: it may have been edited since."""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An agent lives, and this is what it saw. Each result is judged by itself."""

    hostname: str | None = None
    agent_version: str | None = None
    uptime_results: list[msgspec.Raw] | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is to look at from now on."""

    uptime_checks: list[msgspec.Raw]
    """Each a `Check`, or one that only a newer agent knows."""
    heartbeat_seconds: int = HEARTBEAT_SECONDS
    retry_after: int | None = None
    """Of a 429: seconds."""


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is changed for."""

    server_id: int
    agent_key: str
