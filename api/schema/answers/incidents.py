"""Incidents."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from api.schema.answers.common import Evidence, Id, Instant, Page
from api.schema.answers.monitors import Mode
from incidents.case import IncidentType, Resolution

Type = Annotated[str, Meta(extra_json_schema={"enum": [each.value for each in IncidentType]})]
Ending = Annotated[str, Meta(extra_json_schema={"enum": [each.value for each in Resolution]})]


class Confirmation(TypedDict):
    """How an incident was confirmed: the rule, and the regions whose votes decided."""

    mode: Mode
    regions: list[str]


class Incident(TypedDict):
    """The time between a change to down (or flapping) and its end."""

    id: Id
    monitor_id: Id
    account_id: Id
    type: Type
    reason: Annotated[str, Meta(description="The class of failure that most of the votes gave.")]
    confirmation: Confirmation
    started_at: Instant
    evidence: Annotated[list[Evidence], Meta(description="The votes that decided.")]
    created_at: Instant
    resolved_at: NotRequired[Annotated[Instant, Meta(description="Absent while the incident lasts.")]]
    resolution: NotRequired[Annotated[Ending, Meta(description="Why it ended.")]]


class IncidentEnvelope(TypedDict):
    """One incident."""

    incident: Incident


class IncidentPage(Page):
    """Incidents, newest first."""

    incidents: list[Incident]
