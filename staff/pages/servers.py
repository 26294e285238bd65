"""Customers' own servers: how their agents are, and what each last saw. Their secrets were never stored."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Server
from accounts.servers import status_of
from monitors.models import Report
from staff import show
from staff.base import ReadOnlyAdmin, choice_filter

MOST_REPORTS = 100
STATES = {
    "pending": Q(enrolled_at=None),
    "enrolled": Q(enrolled_at__isnull=False),
    "gone": Q(gone_since__isnull=False),
}


@admin.register(Server)
class ServerAdmin(ReadOnlyAdmin[Server]):
    """The API makes and removes them: it knows which monitors would be left without one."""

    list_display = ("id", "name", "account_link", "state", "hostname", "agent_version", "heard")
    list_display_links = ("id", "name")
    list_filter = (choice_filter("state", STATES),)
    list_select_related = ("account",)
    search_fields = ("name", "hostname", "account__name")
    fields = (
        *("account_link", "name", "state", "hostname", "agent_version", "created_at", "enrolled_at"),
        *("last_seen_at", "gone_since", "reports"),
    )

    @admin.display(description="account")
    def account_link(self, server: Server) -> SafeString | str:
        return show.link(server.account)

    @admin.display(description="state")
    def state(self, server: Server) -> SafeString | str:
        return show.badge(status_of(server, timezone.now()))

    @admin.display(description="last heard")
    def heard(self, server: Server) -> str:
        return show.instant(server.last_seen_at)

    @admin.display(description="what it last saw")
    def reports(self, server: Server) -> SafeString | str:
        reports = Report.objects.filter(assignment__server=server).select_related("assignment__monitor")
        newest = reports.order_by("assignment__monitor")[:MOST_REPORTS]
        return show.table(("monitor", "outcome", "error", "at"), [_row(each) for each in newest])


def _row(report: Report) -> tuple[object, ...]:
    monitor, at = show.link(report.assignment.monitor), show.instant(report.checked_at)
    return monitor, show.badge(report.outcome), report.error, at
