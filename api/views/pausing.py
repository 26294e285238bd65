"""/monitors/{id}/pause and /resume: what `enabled` does, without a body."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import Refusal
from api.views.monitors import MonitorView
from incidents.lifecycle import update_monitor
from monitors.models import Monitor


class Switch(MonitorView):
    """A view that enables a monitor or disables it."""

    def switch(self, id_text: str, *, enabled: bool) -> Response:
        format_, monitor = self.wire_format(), self.find(id_text)
        try:
            switched = update_monitor(monitor, {"enabled": enabled}, timezone.now())
        except Monitor.DoesNotExist as error:
            raise Refusal(404, format_.missing) from error
        return Response(format_.one(switched))


class MonitorPause(Switch):
    def post(self, request: Request, id_text: str) -> Response:
        """Stop looking at the monitor; an open incident ends."""
        return self.switch(id_text, enabled=False)


class MonitorResume(Switch):
    def post(self, request: Request, id_text: str) -> Response:
        """Look at the monitor again, at once."""
        return self.switch(id_text, enabled=True)
