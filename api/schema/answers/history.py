"""What was seen of a monitor, and what it amounts to."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from api.schema.answers.common import Count, Evidence, Id, Instant, Milliseconds, Page, Region
from api.views.history import OUTCOMES, WINDOWS

Outcome = Annotated[str, Meta(extra_json_schema={"enum": list(OUTCOMES)})]
WindowName = Annotated[str, Meta(extra_json_schema={"enum": WINDOWS})]
Seconds = Annotated[float, Meta(ge=0)]
Percentage = Annotated[float, Meta(ge=0, le=100)]


class Result(Evidence):
    """One probe."""

    outcome: Outcome
    scheduled_at: Annotated[Instant, Meta(description="The slot of the check that it belongs to.")]
    round_id: NotRequired[Annotated[Id, Meta(description="Of a vote: the round that asked for it.")]]


class ResultPage(Page):
    """Results, newest first."""

    results: list[Result]


Window = TypedDict(
    "Window",
    {
        "window": WindowName,
        "from": Annotated[Instant, Meta(description="The full hour in which a window of this name begins.")],
        "to": Instant,
    },
)


class Uptime(Window):
    """The share of the watched time without confirmed downtime, and what it rests on."""

    uptime_pct: Annotated[Percentage | None, Meta(description="null: nothing was seen.")]
    downtime_seconds: Annotated[Seconds, Meta(description="Confirmed.")]
    watched_seconds: Annotated[Seconds, Meta(description="In which the monitor was enabled.")]
    checks: Annotated[Count, Meta(description="Those that said up or down.")]
    failures: Annotated[Count, Meta(description="Of these, down: confirmed or not.")]
    missed: Annotated[Count, Meta(description="Begun too late, and not run: no downtime.")]
    errors: Annotated[Count, Meta(description="Our own fault or our own policy: no downtime.")]
    inconclusive: Annotated[Count, Meta(description="Rounds without a verdict: no downtime.")]
    incidents: Annotated[Count, Meta(description="Those that began in the window.")]


class Point(TypedDict):
    """What a region saw in one step, of the checks that were up."""

    at: Annotated[Instant, Meta(description="The beginning of the step.")]
    region: Region
    checks: Count
    p50_ms: Milliseconds
    p95_ms: Milliseconds
    max_ms: Milliseconds


class Latency(Window):
    """The latency of each region over time."""

    step_seconds: Count
    points: Annotated[list[Point], Meta(description="Oldest first; none where nothing was up.")]
