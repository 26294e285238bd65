"""/incidents: list and get."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import View, path_id
from api.dialects.native.incidents import incident_body
from api.errors import Refusal
from api.query import Page, choice_parameter, instant_parameter, integer_parameter
from incidents.case import IncidentType
from incidents.models import Incident

INCIDENT_TYPES = [each.value for each in IncidentType]


class IncidentList(View):
    resource = "incidents"

    def get(self, request: Request) -> Response:
        """The account's incidents, newest first, filtered and paged."""
        page = Page.of(request)
        found = filtered(self.account.incidents.all(), request).order_by("-started_at", "-pk")
        return Response(page.body("incidents", found, incident_body))


class IncidentDetail(View):
    resource = "incidents"

    def get(self, request: Request, id_text: str) -> Response:
        """One incident in its envelope."""
        incident = self.account.incidents.filter(pk=path_id(id_text, "invalid incident ID")).first()
        if incident is None:
            raise Refusal(404, "incident not found")
        return Response({"incident": incident_body(incident)})


def filtered(incidents: QuerySet[Incident], request: Request) -> QuerySet[Incident]:
    """`incidents` by the request's `monitor_id`, `type`, `started_after` and `started_before`."""
    if (monitor_id := integer_parameter(request, "monitor_id", "monitor_id must be an integer")) is not None:
        incidents = incidents.filter(monitor_id=monitor_id)
    if type_ := choice_parameter(request, "type", INCIDENT_TYPES):
        incidents = incidents.filter(type=type_)
    if after := instant_parameter(request, "started_after"):
        incidents = incidents.filter(started_at__gt=after)
    if before := instant_parameter(request, "started_before"):
        incidents = incidents.filter(started_at__lt=before)
    return incidents
