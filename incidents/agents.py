"""What agents report, settled: stored, and where it disagrees with a state, judged under its lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts.models import Server
from accounts.servers import GONE_AFTER, SILENCE, is_alive, note_seen
from incidents import records
from incidents.certificates import warn_of_certificates
from incidents.events import SERVER_BACK, SERVER_GONE, about
from incidents.isolation import take_each
from incidents.majority import Sight, conclude
from monitors.assignments import region_of
from monitors.models import Assignment, MonitorState, RegionalFailure
from monitors.reports import record_looks, reported
from probes.instants import rfc3339, unix_ms
from probes.messages import ProbeResult
from webhooks.outbox import publish

FRESH_INTERVALS = 3
"""A look stands as a vote for so many intervals, and for as long as its server counts as alive."""


def heed_agent(
    server: Server, hostname: str, agent_version: str, looks: Sequence[ProbeResult], now: datetime
) -> None:
    """Take a heartbeat of a server's agent: it lives, and this is what it saw."""
    note_seen(server, hostname, agent_version, now)
    welcome_back(server, now)
    take_each(record_looks(server, looks, now), judge, now)
    warn_of_certificates(looks, now)


@transaction.atomic
def judge(monitor_id: int, now: datetime) -> None:
    """Let the newest looks of a monitor's live servers change its state, or show who fails alone."""
    record = records.lock(monitor_id, now)
    if record is not None:
        records.save(record, conclude(record.case, sights_of(record.state, now), now), now)


def sights_of(state: MonitorState, now: datetime) -> list[Sight]:
    """What each live server of a monitor makes of it now."""
    assignments = Assignment.objects.filter(monitor=state.pk).select_related("server", "report")
    alive = [each for each in assignments.order_by("server_id") if is_alive(each.server, now)]
    oldest = now - max(FRESH_INTERVALS * timedelta(seconds=state.interval_seconds), SILENCE)
    return [_sight(assignment, state, oldest) for assignment in alive]


@transaction.atomic
def miss_server(server_id: int, now: datetime) -> None:
    """Note that a server is gone, unless it spoke meanwhile, and tell those who asked for it."""
    silent = Server.objects.filter(pk=server_id, gone_since=None, last_seen_at__lte=now - GONE_AFTER)
    if silent.update(gone_since=F("last_seen_at")):
        RegionalFailure.objects.filter(region=region_of(server_id)).delete()
        _tell(SERVER_GONE, Server.objects.get(pk=server_id), now)


@transaction.atomic
def welcome_back(server: Server, now: datetime) -> None:
    """Note that a server that was gone is not, and tell those who asked for it."""
    if server.gone_since and Server.objects.filter(pk=server.pk, gone_since__isnull=False).update(
        gone_since=None
    ):
        _tell(SERVER_BACK, server, now)


def gone_unnoticed(now: datetime) -> list[int]:
    """The servers that have been silent for long, and are not known to be gone."""
    silent = Server.objects.filter(gone_since=None, last_seen_at__lte=now - GONE_AFTER)
    return list(silent.values_list("pk", flat=True))


def _sight(assignment: Assignment, state: MonitorState, oldest: datetime) -> Sight:
    region = region_of(assignment.server_id)
    report = getattr(assignment, "report", None)
    if report is None or report.checked_at < oldest:
        return Sight(region=region)
    return Sight(region=region, result=reported(assignment, report, state), streak=report.streak)


def _tell(event: str, server: Server, now: datetime) -> None:
    """One event for each monitor that the server looks at, to the webhooks that ask for it."""
    since = server.gone_since
    for monitor in [each.monitor for each in server.assignments.select_related("monitor").order_by("pk")]:
        publish(
            account_id=monitor.account_id,
            subject_id=monitor.pk,
            type=event,
            key=f"{event}:{server.pk}:{unix_ms(since) if since else 0}:{monitor.pk}",
            payload={
                "event": event,
                **about(monitor, now),
                "server": {"id": server.pk, "name": server.name, "hostname": server.hostname},
                "last_seen_at": rfc3339(server.last_seen_at) if server.last_seen_at else None,
            },
            occurred_at=now,
            now=now,
            opt_in=True,
        )
