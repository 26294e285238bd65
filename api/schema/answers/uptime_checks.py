"""Checks and results of /uptime-checks."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from api.dialects.uptime_checks.errors import ALL_CODES, PLAN
from api.dialects.uptime_checks.fields import CHECK_TYPES
from api.schema.answers.common import Count, Id, Instant, Milliseconds
from probes.agent.messages import ErrorKind

CheckType = Annotated[str, Meta(extra_json_schema={"enum": list(CHECK_TYPES)})]
Code = Annotated[str, Meta(extra_json_schema={"enum": ALL_CODES})]
Bit = Literal[0, 1]
Settled = Annotated[
    Literal["up", "down"] | None,
    Meta(description="What was settled last, also while it flaps; null: nothing."),
]


class Issue(TypedDict):
    """A field that is wrong."""

    field: Annotated[str, Meta(description="body: none in particular.")]
    reason: str


class PlanNumbers(TypedDict):
    """How many monitors the account may have, and has, whichever format they were made in."""

    plan_limit: Count
    current_count: Count
    plan: Annotated[str, Meta(extra_json_schema={"enum": [PLAN]})]


class CheckError(TypedDict):
    """A refusal: with issues where fields are wrong, with numbers where the limit is reached."""

    error: Code
    message: NotRequired[str]
    issues: NotRequired[list[Issue]]
    plan_limit: NotRequired[Count]
    current_count: NotRequired[Count]
    plan: NotRequired[str]


class ProbeServer(TypedDict):
    """A server that looks at a check."""

    id: Id
    hostname: Annotated[str, Meta(description="As its agent says; before that, its name.")]


class UptimeCheck(TypedDict):
    """A check and what is believed of it. What does not fit its type has its default."""

    id: Id
    user_id: Annotated[int, Meta(description="The account.")]
    name: str
    check_type: CheckType
    target: str
    enabled: Bit
    expected_status_codes: str | None
    max_latency_ms: Annotated[int, Meta(ge=1)] | None
    body_contains: str | None
    follow_redirects: Bit
    tls_warn_days_before_expiry: Count
    timeout_seconds: Annotated[int, Meta(ge=1)]
    alert_on_down: Bit
    alert_on_recovery: Bit
    alert_on_cert_expiry: Bit
    status: Settled
    last_status: Settled
    last_checked_at: Instant | None
    probe_count: Count
    probe_servers: list[ProbeServer]
    created_at: Instant


class UptimeChecks(PlanNumbers):
    """All checks."""

    checks: list[UptimeCheck]


class ChangedUptimeCheck(TypedDict):
    """A check as it is after a change."""

    check: UptimeCheck
    probe_server_ids: list[Id]


class Look(TypedDict):
    """What a server saw."""

    server_id: Id
    hostname: Annotated[str | None, Meta(description="null: the server was removed.")]
    executed_at: Instant
    ok: Bit
    status_code: int | None
    latency_ms: Milliseconds
    error_kind: Annotated[ErrorKind | None, Meta(description="null where it could not look, too.")]
    error_message: str | None


class Result(Look):
    """One of the newest results."""

    id: Id
    check_id: Id
    tls_days_remaining: int | None


class WholeUptimeCheck(TypedDict):
    """A check with what its servers see of it, and saw."""

    check: UptimeCheck
    probe_servers: list[ProbeServer]
    per_probe_latest: list[Look]
    recent_results: Annotated[list[Result], Meta(description="The newest 100, newest first.")]
    uptime_pct_24h: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None, Meta(description="null: no results.")
    ]


class Done(TypedDict):
    """It is done."""

    ok: bool
