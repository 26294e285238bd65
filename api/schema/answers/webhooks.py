"""Webhooks and their deliveries."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from api.schema.answers.common import Count, Id, Instant, Milliseconds, Page, Url
from incidents.events import EVENTS
from webhooks.models import Status
from webhooks.samples import SAMPLE

EventType = Annotated[str, Meta(extra_json_schema={"enum": list(EVENTS)})]
DeliveredType = Annotated[str, Meta(extra_json_schema={"enum": [*EVENTS, SAMPLE]})]
DeliveryStatus = Annotated[str, Meta(extra_json_schema={"enum": Status.values})]


class Webhook(TypedDict):
    """A monitor's webhook, with the secret that signs what is sent to it."""

    id: Id
    monitor_id: Id
    url: Url
    secret: str
    created_at: Instant
    events: NotRequired[
        Annotated[list[EventType], Meta(description="Absent: all but those that are sent on request.")]
    ]
    disabled_at: NotRequired[Annotated[Instant, Meta(description="Nothing is sent since; PUT enables it.")]]
    disabled_reason: NotRequired[str]
    previous_secret_until: NotRequired[
        Annotated[Instant, Meta(description="Until then what is sent is signed with the secret before, too.")]
    ]


class Delivery(TypedDict):
    """One event on its way to one webhook."""

    id: Annotated[int, Meta(ge=1, description="The delivery_id by which receivers tell repeats.")]
    webhook_id: Id
    monitor_id: Id
    account_id: Id
    event_type: DeliveredType
    status: DeliveryStatus
    attempt_count: Count
    last_response_code: int | None
    last_attempt_at: Instant | None
    next_attempt_at: Instant
    created_at: Instant


class Attempt(TypedDict):
    """One HTTP try of a delivery."""

    number: Annotated[int, Meta(ge=1)]
    started_at: Instant
    duration_ms: Milliseconds
    status_code: Annotated[int | None, Meta(description="null: there was no answer.")]
    error_class: str | None
    error: str | None
    response_head: Annotated[str, Meta(description="The beginning of the answer's body.")]


class LoggedDelivery(Delivery):
    """A delivery with its attempts, oldest first."""

    attempts: list[Attempt]


class DeliveryEnvelope(TypedDict):
    """One delivery."""

    delivery: LoggedDelivery


class DeliveryPage(Page):
    """Deliveries, newest first."""

    deliveries: list[Delivery]
