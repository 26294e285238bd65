"""What the answers of several resources are made of."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from probes.errors import ErrorClass

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0)]
Milliseconds = Annotated[int, Meta(ge=0)]
Region = Annotated[str, Meta(description="A region's name, such as EU.")]
Instant = Annotated[
    str, Meta(description="RFC 3339, in UTC, with microseconds.", extra_json_schema={"format": "date-time"})
]
Url = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
FailureClass = Annotated[str, Meta(extra_json_schema={"enum": [each.value for each in ErrorClass]})]


class Error(TypedDict):
    """A refusal."""

    error: Annotated[str, Meta(description="One sentence.")]


class Page(TypedDict):
    """Which part of what was found this is."""

    total: Annotated[int, Meta(ge=0, description="How many the filters match.")]
    limit: Annotated[int, Meta(ge=1, le=100)]
    offset: Count


class Seen(TypedDict):
    """What a probe saw. What it did not reach is left out."""

    status_code: NotRequired[int]
    error_class: NotRequired[FailureClass]
    error: NotRequired[Annotated[str, Meta(description="What went wrong, in a sentence.")]]
    address: NotRequired[Annotated[str, Meta(description="The address that was connected to.")]]
    family: NotRequired[Annotated[Literal[4, 6], Meta(description="Of that address.")]]
    dns_ms: NotRequired[Milliseconds]
    connect_ms: NotRequired[Milliseconds]
    tls_ms: NotRequired[Milliseconds]
    ttfb_ms: NotRequired[Milliseconds]
    download_ms: NotRequired[Milliseconds]
    total_ms: NotRequired[Milliseconds]


class Evidence(Seen):
    """One region's probe."""

    region: Region
    timestamp: Instant
    cert_expires_at: NotRequired[
        Annotated[Instant, Meta(description="When the first of the presented certificates ends, of ssl.")]
    ]
