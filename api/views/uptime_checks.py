"""/uptime-checks: the views of monitors, in the format of that contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.dialects.format import MonitorFormat
from api.dialects.uptime_checks.checks import FORMAT
from api.dialects.uptime_checks.errors import check_envelope, plan_body
from api.dialects.uptime_checks.results import whole
from api.views.monitors import MonitorDetail, MonitorList, MonitorView


class UptimeCheckView(MonitorView):
    """A view of checks."""

    def wire_format(self) -> MonitorFormat:
        return FORMAT

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return check_envelope


class UptimeCheckList(UptimeCheckView, MonitorList):
    def get(self, request: Request) -> Response:
        """All checks, and how many monitors the account has and may have."""
        return Response({**super().get(request).data, **plan_body(self.account)})


class UptimeCheckDetail(UptimeCheckView, MonitorDetail):
    def get(self, request: Request, id_text: str) -> Response:
        """The check, what each of its servers sees, and what they saw lately."""
        return Response(whole(self.find(id_text), timezone.now()))

    def delete(self, request: Request, id_text: str) -> Response:
        """Delete the check with its results; its servers stay."""
        super().delete(request, id_text)
        return Response({"ok": True})
