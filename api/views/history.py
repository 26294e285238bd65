"""/monitors/{id}/results, /uptime and /latency: what was seen of a monitor, and what it amounts to."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import View
from api.dialects.native import history as native
from api.query import Page, choice_parameter, instant_parameter
from api.views.monitors import find
from incidents.uptime import uptime
from monitors.history import STEPS, Window, latency
from monitors.models import Evidence

OUTCOMES = ("up", "down", "missed", "error")
REGIONS = [region.upper() for region in settings.REGIONS]
WINDOWS = list(STEPS)
DEFAULT_WINDOW = WINDOWS[0]
NEWEST_FIRST = ("-scheduled_at", "-region", "-round_id", "-attempt")
"""The key of the evidence backwards: pages are read from its index, and no two of them overlap."""


class ResultList(View):
    resource = "monitors"

    def get(self, request: Request, id_text: str) -> Response:
        """The result of each probe that is still kept, newest first, filtered and paged."""
        monitor, page = find(self.account, id_text), Page.of(request)
        found = filtered(Evidence.objects.filter(monitor_id=monitor.pk), request)
        # What is skipped is skipped in the index: only the rows of the page itself are fetched.
        keys = page.part(found.order_by(*NEWEST_FIRST).values("pk"))
        rows = Evidence.objects.filter(monitor_id=monitor.pk, pk__in=keys).order_by(*NEWEST_FIRST)
        return Response(page.shown("results", rows, found.count(), native.result_body))


class MonitorUptime(View):
    resource = "monitors"

    def get(self, request: Request, id_text: str) -> Response:
        """The share of the watched time without confirmed downtime, and what it rests on."""
        monitor, window = find(self.account, id_text), window_of(request)
        return Response(native.uptime_body(uptime(monitor.pk, window)))


class MonitorLatency(View):
    resource = "monitors"

    def get(self, request: Request, id_text: str) -> Response:
        """The latency of each region over time, as a chart shows it."""
        monitor, window = find(self.account, id_text), window_of(request)
        return Response(native.latency_body(window, latency(monitor.pk, window)))


def window_of(request: Request) -> Window:
    """The window that the request names, ending now; refuses others with 400."""
    return Window.of(choice_parameter(request, "window", WINDOWS) or DEFAULT_WINDOW, timezone.now())


def filtered(evidence: QuerySet[Evidence], request: Request) -> QuerySet[Evidence]:
    """`evidence` by the request's `outcome`, `region` and `since`."""
    if outcome := choice_parameter(request, "outcome", OUTCOMES):
        evidence = evidence.filter(outcome=outcome)
    if region := choice_parameter(request, "region", REGIONS):
        evidence = evidence.filter(region=region.lower())
    if since := instant_parameter(request, "since"):
        evidence = evidence.filter(scheduled_at__gte=since)
    return evidence
