"""Monitors and results of /v1/tcp-monitors."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from api.dialects.tcp_monitors.errors import ALL_CODES
from api.dialects.tcp_monitors.results import LARGEST_PAGE, STATUSES
from api.schema.answers.common import Count, Instant, Milliseconds

TcpStatus = Annotated[str, Meta(extra_json_schema={"enum": STATUSES})]
Code = Annotated[str, Meta(extra_json_schema={"enum": ALL_CODES})]


class Wrong(TypedDict):
    """A field or parameter that is wrong."""

    field: str
    message: str


class CodedRefusal(TypedDict):
    """Why something was refused."""

    code: Code
    message: str
    details: NotRequired[Annotated[list[Wrong], Meta(description="Only where fields are wrong.")]]


class CodedError(TypedDict):
    """A refusal with a code."""

    error: CodedRefusal


class TcpMonitor(TypedDict):
    """A monitor of a TCP port, with what its newest check came to."""

    id: Annotated[str, Meta(pattern="^tcpm_[a-zA-Z0-9]+$")]
    name: str
    host: str
    port: Annotated[int, Meta(ge=1, le=65535)]
    timeoutMs: Annotated[int, Meta(ge=100, le=60_000)]
    intervalSeconds: Annotated[int, Meta(ge=1, le=86_400)]
    isEnabled: bool
    lastCheckedAt: Annotated[Instant | None, Meta(description="null before the first check.")]
    lastStatus: Annotated[TcpStatus | None, Meta(description="null before the first check.")]
    lastResponseTimeMs: Annotated[Milliseconds | None, Meta(description="null unless it was up.")]
    createdAt: Instant
    updatedAt: Instant


class TcpMonitorData(TypedDict):
    """One monitor."""

    data: TcpMonitor


class TcpMonitorsData(TypedDict):
    """All monitors, newest first."""

    data: list[TcpMonitor]


class TcpResult(TypedDict):
    """What one check came to."""

    id: Annotated[str, Meta(pattern="^tcpr_[a-zA-Z0-9]+$")]
    status: TcpStatus
    responseTimeMs: Annotated[Milliseconds | None, Meta(description="null unless it was up.")]
    error: NotRequired[Annotated[str, Meta(description="What went wrong, in a sentence.")]]
    checkedAt: Instant


class Pagination(TypedDict):
    """Which part of the results this is."""

    total: Count
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE)]
    offset: Count


class TcpResultPage(TypedDict):
    """Results, newest first."""

    data: list[TcpResult]
    pagination: Pagination
