"""Monitors and the receipts of their verdicts."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from api.dialects.native.monitors import RECORD_TYPES
from api.http_auth import AUTH_TYPES
from api.monitor_types import MONITOR_TYPES
from api.schema.answers.common import Count, Evidence, FailureClass, Id, Instant, Page, Region, Seen
from incidents.events import MUTABLE
from incidents.verdict import MODES, Verdict
from monitors.status import Status

MonitorType = Annotated[str, Meta(extra_json_schema={"enum": list(MONITOR_TYPES)})]
MonitorStatus = Annotated[str, Meta(extra_json_schema={"enum": [each.value for each in Status]})]
RecordType = Annotated[str, Meta(extra_json_schema={"enum": RECORD_TYPES})]
KeywordType = Annotated[str, Meta(extra_json_schema={"enum": ["contains", "not_contains"]})]
KeywordMatch = Annotated[str, Meta(extra_json_schema={"enum": ["exact", "regex"]})]
Protocol = Annotated[str, Meta(extra_json_schema={"enum": ["tcp", "udp"]})]
AuthType = Annotated[str, Meta(extra_json_schema={"enum": list(AUTH_TYPES)})]
Mode = Annotated[str, Meta(extra_json_schema={"enum": list(MODES)})]
VerdictName = Annotated[str, Meta(extra_json_schema={"enum": [each.value for each in Verdict]})]
MutableEvent = Annotated[str, Meta(extra_json_schema={"enum": list(MUTABLE)})]
Outcome = Annotated[str, Meta(extra_json_schema={"enum": ["up", "down", "missed", "error", "slow"]})]


class Monitor(TypedDict):
    """What a customer configured. Fields that do not fit the type, or are not set, are left out."""

    id: Id
    name: str
    url: str
    type: MonitorType
    interval_sec: int
    timeout_secs: int
    confirmation_count: Annotated[int, Meta(ge=1)]
    enabled: bool
    created_at: Instant
    expected_status: NotRequired[
        Annotated[str, Meta(pattern="^[1-5][0-9]{2}([-,][1-5][0-9]{2})*$", description="One, or ranges.")]
    ]
    body_match: NotRequired[str]
    keyword: NotRequired[str]
    keyword_type: NotRequired[KeywordType]
    keyword_match: NotRequired[KeywordMatch]
    dns_record_type: NotRequired[RecordType]
    dns_expected_value: NotRequired[str]
    dns_resolver: NotRequired[str]
    ssl_warn_days: NotRequired[Count]
    servers: NotRequired[Annotated[list[Id], Meta(description="Those that look at it instead of regions.")]]
    muted_events: NotRequired[Annotated[list[MutableEvent], Meta(description="Nobody is told of them.")]]
    protocol: NotRequired[Protocol]
    latency_warn_ms: NotRequired[Count]
    http_auth_type: NotRequired[AuthType]
    http_auth_configured: NotRequired[Annotated[bool, Meta(description="The credentials are never shown.")]]
    heartbeat_token: NotRequired[Annotated[str, Meta(description="The credential of a ping.")]]
    heartbeat_url: NotRequired[Annotated[str, Meta(description="The path that a ping asks for.")]]
    heartbeat_secret: NotRequired[
        Annotated[str | None, Meta(description="What a ping must bring as X-Secret; null: nothing.")]
    ]
    heartbeat_last_ping: NotRequired[Instant | None]
    heartbeat_grace_secs: NotRequired[Count]
    heartbeat_cron: NotRequired[str | None]
    heartbeat_timezone: NotRequired[str]


class Summary(TypedDict):
    """What is believed of a monitor now."""

    status: MonitorStatus
    last_check_at: Instant | None


class ListedMonitor(Monitor, Summary):
    """A monitor as it stands in the list."""


class RegionalFailure(TypedDict):
    """A region that alone sees the monitor fail."""

    region: Region
    since: Instant
    error_class: FailureClass


class State(Summary):
    """What is believed of a monitor now, and why."""

    regional_failures: list[RegionalFailure]
    consecutive_fails: Annotated[int, Meta(ge=0, description="The checks that failed in a row.")]
    missed_checks: Annotated[int, Meta(ge=0, description="Slots that were not looked at in time.")]
    evidence_buffer: Annotated[list[Evidence], Meta(description="The newest probes, newest first.")]
    cert_days_left: NotRequired[
        Annotated[
            int, Meta(description="Whole days that the certificate had left at the newest look, of ssl.")
        ]
    ]


class MonitorEnvelope(TypedDict):
    """A monitor beside its state."""

    monitor: Monitor
    state: State


class Unavailable(TypedDict):
    """A refusal; with a `message` where the operator has stopped all dispatches."""

    error: str
    message: NotRequired[str]


class Vote(Seen):
    """What one region was asked in a round, and what it answered."""

    region: Region
    attempt: Annotated[int, Meta(ge=1)]
    asked_at: Instant | None
    outcome: Annotated[Outcome | None, Meta(description="null while the region is silent.")]
    timestamp: NotRequired[Instant]


Transition = TypedDict("Transition", {"sequence": Count, "from": MonitorStatus, "to": MonitorStatus})


class Round(TypedDict):
    """The receipt of a verdict: who was asked, what each answered, and what followed."""

    id: Id
    monitor_id: Id
    scheduled_at: Instant
    opened_at: Instant
    closed_at: Annotated[Instant | None, Meta(description="null while the round is open.")]
    mode: Mode
    verdict: Annotated[VerdictName | None, Meta(description="null while the round is open.")]
    votes: list[Vote]
    transition: Annotated[Transition | None, Meta(description="The change of state, if one followed.")]
    regional_failures: Annotated[list[Region], Meta(description="The regions that failed alone.")]


class RoundPage(Page):
    """Rounds, newest first."""

    rounds: list[Round]
