"""Servers in the native wire format: those whose agents look at monitors."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from accounts.models import Server
from accounts.servers import status_of
from api import fields
from probes.instants import rfc3339

LONGEST_NAME = 100


class ServerInput(serializers.Serializer[Server]):
    """The body that makes or renames a server."""

    name = fields.Text(longest=LONGEST_NAME)


def server_name(data: dict[str, Any]) -> str:
    """The name in a body; raises a refusal."""
    serializer = ServerInput(data=data)
    serializer.is_valid(raise_exception=True)
    name: str = serializer.validated_data["name"]
    return name


def server_body(server: Server, now: datetime) -> dict[str, Any]:
    """A server; `assignments` are prefetched by the caller."""
    return {
        "id": server.pk,
        "name": server.name,
        "status": status_of(server, now),
        "hostname": server.hostname or None,
        "agent_version": server.agent_version or None,
        "monitors": sorted(assignment.monitor_id for assignment in server.assignments.all()),
        "enrolled_at": rfc3339(server.enrolled_at) if server.enrolled_at else None,
        "last_seen_at": rfc3339(server.last_seen_at) if server.last_seen_at else None,
        "created_at": rfc3339(server.created_at),
    }


def token_body(server: Server, token: str, now: datetime) -> dict[str, Any]:
    """A server with its enrolment token, which is shown only once."""
    ends = server.token_expires_at
    shown = {"enrolment_token": token, "enrolment_token_expires_at": rfc3339(ends or now)}
    return server_body(server, now) | shown
