"""/monitors/{id}/rounds: the receipts of a monitor's verdicts."""

from __future__ import annotations

from django.db.models import Prefetch
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import View
from api.dialects.native.incidents import round_body
from api.query import Page
from api.views.monitors import find
from incidents.models import Vote


class RoundList(View):
    resource = "incidents"

    def get(self, request: Request, id_text: str) -> Response:
        """The monitor's rounds, newest first: also those that decided not to alert."""
        monitor, page = find(self.account, id_text), Page.of(request)
        votes = Prefetch("votes", Vote.objects.order_by("pk"))
        rounds = monitor.rounds.prefetch_related(votes, "transitions").order_by("-opened_at", "-pk")
        return Response(page.body("rounds", rounds, round_body))
