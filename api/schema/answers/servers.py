"""Servers with agents."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from accounts.servers import ServerStatus
from api.schema.answers.common import Id, Instant

Status = Annotated[str, Meta(extra_json_schema={"enum": [each.value for each in ServerStatus]})]


class Server(TypedDict):
    """A customer's own machine, whose agent looks at monitors."""

    id: Id
    name: str
    status: Annotated[Status, Meta(description="silent: not heard of for 90 s; gone: for 10 minutes.")]
    hostname: Annotated[str | None, Meta(description="As its agent says.")]
    agent_version: str | None
    monitors: Annotated[list[Id], Meta(description="What it looks at.")]
    enrolled_at: Instant | None
    last_seen_at: Instant | None
    created_at: Instant


class EnrollingServer(Server):
    """A server with its token, which is shown only once."""

    enrolment_token: Annotated[str, Meta(pattern="^uet_")]
    enrolment_token_expires_at: Instant
