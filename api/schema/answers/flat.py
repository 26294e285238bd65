"""Monitors in the flat format."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from api.dialects.flat.kinds import TYPES
from api.schema.answers.common import Count, Id, Instant
from api.schema.answers.monitors import AuthType, KeywordMatch, KeywordType, Protocol, RecordType

FlatType = Annotated[str, Meta(extra_json_schema={"enum": TYPES})]
FlatStatus = Annotated[str, Meta(extra_json_schema={"enum": ["up", "down", "unknown"]})]


class FlatMonitor(TypedDict):
    """A monitor and its state. Fields that do not fit the type, or are not set, are null."""

    id: Id
    user_id: Annotated[int, Meta(description="The account.")]
    name: str
    type: FlatType
    target: str
    interval_secs: Annotated[int, Meta(ge=1)]
    timeout_secs: Annotated[int, Meta(ge=1)]
    protocol: NotRequired[Annotated[Protocol, Meta(description="Of ports.")]]
    keyword: str | None
    keyword_type: KeywordType | None
    keyword_match: KeywordMatch | None
    expected_status: Annotated[int, Meta(ge=100, le=599)] | None
    latency_warn_ms: Count | None
    confirmation_count: Annotated[int, Meta(ge=1)]
    consecutive_fails: Count
    heartbeat_token: str | None
    heartbeat_last_ping: Instant | None
    heartbeat_secret: str | None
    heartbeat_url: NotRequired[Annotated[str, Meta(description="Of heartbeats: the path of their pings.")]]
    heartbeat_grace_secs: NotRequired[Count]
    heartbeat_cron: NotRequired[str | None]
    heartbeat_timezone: NotRequired[str]
    ssl_warn_days: Count | None
    ssl_expiry_at: Annotated[Instant | None, Meta(description="Of the certificate that was seen last.")]
    enabled: bool
    status: Annotated[FlatStatus, Meta(description="What was settled last, also while it flaps.")]
    last_checked_at: Instant | None
    created_at: Instant
    updated_at: Instant
    alert_contact_ids: Annotated[None, Meta(description="There are no alert contacts here.")]
    http_auth_type: AuthType
    http_auth_configured: Annotated[bool, Meta(description="The credentials are never shown.")]
    dns_record_type: RecordType | None
    dns_expected_value: str | None
    dns_resolver: str | None


class FlatMonitors(TypedDict):
    """All monitors."""

    monitors: list[FlatMonitor]
