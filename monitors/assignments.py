"""Which servers look at a monitor instead of the regions."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Count, QuerySet

from accounts.models import Account, Server
from monitors.models import Assignment, Monitor, RegionalFailure, Report

ASSIGNABLE = ("http", "tcp", "ssl")
"""The types that agents look at."""


PREFIX = "server-"


class UnknownServer(Exception):
    """An id that is of no server of the account."""


class OnlyServer(Exception):
    """Without this server nobody would look at one of its monitors."""


def region_of(server_id: int) -> str:
    """What stands for a server where a region would."""
    return f"{PREFIX}{server_id}"


def server_id_of(region: str) -> int:
    """The id of the server that stands there for a region."""
    return int(region.removeprefix(PREFIX))


def is_assigned(monitor: Monitor) -> bool:
    """Whether agents look at the monitor, and no region does."""
    return monitor.assignments.exists()


def server_ids(monitor: Monitor) -> list[int]:
    """The ids of the servers that look at a monitor; none: the regions do."""
    return server_ids_of([monitor]).get(monitor.pk, [])


def server_ids_of(monitors: Iterable[Monitor]) -> dict[int, list[int]]:
    """The same of many, by monitor, in one query. A prefetch would build a query for each of them."""
    rows = Assignment.objects.filter(monitor__in=[monitor.pk for monitor in monitors])
    found: dict[int, list[int]] = {}
    for monitor_id, server_id in rows.order_by("server_id").values_list("monitor_id", "server_id"):
        found.setdefault(monitor_id, []).append(server_id)
    return found


@transaction.atomic
def assign(monitor: Monitor, server_ids: Collection[int]) -> bool:
    """Let just these servers look at the monitor, none: the regions. Whether that changed anything.

    Raises `UnknownServer`. The caller brings the monitor's state in line.
    """
    # Keeps `remove_server` from counting meanwhile.
    Account.objects.select_for_update().get(pk=monitor.account_id)
    wanted = set(server_ids)
    if Server.objects.filter(account=monitor.account_id, pk__in=wanted).count() != len(wanted):
        raise UnknownServer
    before = set(monitor.assignments.values_list("server_id", flat=True))
    monitor.assignments.exclude(server__in=wanted).delete()
    Assignment.objects.bulk_create(
        Assignment(monitor=monitor, server_id=server_id) for server_id in sorted(wanted - before)
    )
    return wanted != before


def forget_reports(monitor: Monitor) -> None:
    """Forget what servers saw of the monitor as it was configured before."""
    Report.objects.filter(assignment__monitor=monitor).delete()


@transaction.atomic
def remove_server(server: Server) -> None:
    """Remove a server: its key opens nothing from now on. Raises `OnlyServer`."""
    Account.objects.select_for_update().get(pk=server.account_id)
    monitors = Monitor.objects.filter(assignments__server=server).values("pk")
    watched = Monitor.objects.filter(pk__in=monitors).annotate(servers=Count("assignments"))
    if watched.filter(servers=1).exists():
        raise OnlyServer
    RegionalFailure.objects.filter(region=region_of(server.pk)).delete()
    server.delete()


def latest_reports(monitor: Monitor) -> QuerySet[Report]:
    """What each of the monitor's servers last saw, with the server."""
    reports = Report.objects.filter(assignment__monitor=monitor)
    return reports.select_related("assignment__server").order_by("assignment__server_id")
