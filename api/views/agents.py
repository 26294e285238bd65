"""/agent: what the agents on customers' servers call. They have no API key, but one each of their own."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.limits import Bucket, Taken, take
from accounts.models import Account, Server
from accounts.servers import enrol, find_server
from api.base import JsonView, body_of
from api.dialects import agents
from api.errors import Refusal
from api.limits import TAKEN
from incidents.agents import heed_agent
from monitors.models import Monitor
from monitors.optouts import opted_out_of
from monitors.targets import TARGETS, host_of
from probes.agent.messages import HEARTBEAT_SECONDS, LARGEST_BODY_BYTES

HEARTBEATS = Bucket("heartbeats", 60)
ENROLMENTS = Bucket("enrolments", 10)
"""Of an address: whoever guesses tokens is slow, and a fleet is enrolled in minutes."""


class AgentKey(BaseAuthentication):
    """`X-Agent-Key: uak_…`: makes `request.user` the account, and `request.auth` the server."""

    def authenticate(self, request: Request) -> tuple[Account, Server]:
        server = find_server(request.headers.get("X-Agent-Key", ""))
        if server is None:
            raise Refusal(401, "invalid agent key")
        if server.account.suspended_at is not None:
            raise Refusal(403, "account suspended; contact support")
        return server.account, server


class AgentEnrolment(JsonView):
    authentication_classes = ()

    def post(self, request: Request) -> Response:
        """Change an enrolment token, once, for the key of an agent."""
        taken = _take(request, ENROLMENTS, request.META["REMOTE_ADDR"])
        _refuse_large(request)
        if not taken.allowed:
            return _too_many("too many enrolments", taken.retry_after_seconds)
        token = body_of(request).get("token")
        enrolled = enrol(token, timezone.now()) if isinstance(token, str) else None
        if enrolled is None:
            raise Refusal(401, "invalid enrolment token")
        server_id, key = enrolled
        return Response({"server_id": server_id, "agent_key": key})


class AgentHeartbeat(JsonView):
    authentication_classes = (AgentKey,)

    def post(self, request: Request) -> Response:
        """Take what an agent saw, and tell it what to look at, also when it comes too often."""
        server: Server = request.auth  # type: ignore[assignment]
        taken = _take(request, HEARTBEATS, str(server.pk))
        _refuse_large(request)
        monitors = {monitor.pk: monitor for monitor in _assigned(server)}
        told = {"uptime_checks": agents.checks_body(monitors.values())}
        if not taken.allowed:
            return _too_many("too many heartbeats", taken.retry_after_seconds, told)
        now = timezone.now()
        heartbeat = agents.heartbeat_in(request.body)
        looks = agents.looks_in(heartbeat, monitors, server, now)
        heed_agent(server, *agents.identity(heartbeat), looks, now)
        return Response(told | {"heartbeat_seconds": HEARTBEAT_SECONDS, "accepted": len(looks)})


def _assigned(server: Server) -> list[Monitor]:
    """What the server is to look at: nothing that is paused, or whose owner has opted out."""
    enabled = Monitor.objects.filter(assignments__server=server, enabled=True).select_related("state")
    hosts = {monitor: host_of(TARGETS[monitor.type](monitor.url, monitor.options)) for monitor in enabled}
    refused = opted_out_of(hosts.values())
    return sorted((each for each, host in hosts.items() if host not in refused), key=lambda each: each.pk)


def _take(request: Request, bucket: Bucket, key: str) -> Taken:
    """One more of `bucket` for `key`, which the client's address is then not charged with."""
    taken = take(bucket, key)
    request.META[TAKEN] = taken
    return taken


def _refuse_large(request: Request) -> None:
    # Without this header Django takes the body for empty.
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY_BYTES:
        raise Refusal(413, "request body too large")


def _too_many(error: str, seconds: int, told: dict[str, Any] | None = None) -> Response:
    body = {"error": error, "retry_after": seconds, **(told or {})}
    return Response(body, status=429, headers={"Retry-After": str(seconds)})
