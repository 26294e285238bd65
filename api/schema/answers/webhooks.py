"""Webhooks and their deliveries."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from api.schema.answers.common import Count, Id, Instant, Page, Url
from incidents.events import EVENTS
from webhooks.models import Status

EventType = Annotated[str, Meta(extra_json_schema={"enum": list(EVENTS)})]
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


class Delivery(TypedDict):
    """One event on its way to one webhook."""

    id: Annotated[int, Meta(ge=1, description="The delivery_id by which receivers tell repeats.")]
    webhook_id: Id
    monitor_id: Id
    account_id: Id
    event_type: EventType
    status: DeliveryStatus
    attempt_count: Count
    last_response_code: int | None
    last_attempt_at: Instant | None
    next_attempt_at: Instant
    created_at: Instant


class DeliveryPage(Page):
    """Deliveries, newest first."""

    deliveries: list[Delivery]
