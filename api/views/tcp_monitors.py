"""/v1/tcp-monitors: the views of monitors, in the format of that contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from api.dialects.format import MonitorFormat
from api.dialects.tcp_monitors.errors import coded_envelope
from api.dialects.tcp_monitors.monitors import FORMAT
from api.dialects.tcp_monitors.results import LARGEST_PAGE, results_page
from api.limits import count_request_of_key
from api.query import Page
from api.views.monitors import MonitorDetail, MonitorList, MonitorView


class TcpMonitorView(MonitorView):
    """A view of TCP monitors."""

    resource = "tcp-monitors"

    def wire_format(self) -> MonitorFormat:
        return FORMAT

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return coded_envelope

    def count(self, request: Request) -> None:
        key: ApiKey = request.auth  # type: ignore[assignment]
        count_request_of_key(request, key)


class TcpMonitorList(TcpMonitorView, MonitorList):
    """All TCP monitors."""


class TcpMonitorDetail(TcpMonitorView, MonitorDetail):
    """One TCP monitor."""


class TcpMonitorResults(TcpMonitorView):
    def get(self, request: Request, id_text: str) -> Response:
        """What the checks of the monitor came to, newest first."""
        monitor = self.find(id_text)
        return Response(results_page(monitor.pk, Page.of(request, LARGEST_PAGE)))
