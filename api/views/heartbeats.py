"""/monitors/{id}/heartbeat: the credentials of a heartbeat monitor's pings."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import Refusal
from api.views.monitors import MonitorView
from monitors.heartbeats import TYPE, rotate_token


class HeartbeatRotation(MonitorView):
    def post(self, request: Request, id_text: str) -> Response:
        """Give the heartbeat a new token; the old one opens nothing from now on."""
        monitor = self.find(id_text)
        if monitor.type != TYPE:
            raise Refusal(404, "heartbeat not found")
        rotate_token(monitor)
        return Response(self.wire_format().one(self.find(id_text)))
