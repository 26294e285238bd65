"""/webhook-deliveries: the account's delivery log."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import View
from api.dialects import native
from api.errors import Refusal
from api.query import Page, instant_parameter, integer_parameter
from webhooks.models import Delivery, Status


class DeliveryList(View):
    resource = "webhooks"

    def get(self, request: Request) -> Response:
        """The account's deliveries, newest first, filtered and paged."""
        page = Page.of(request)
        mine = Delivery.objects.filter(account=self.account).select_related("event").order_by("-pk")
        return Response(page.body("deliveries", filtered(mine, request), native.delivery_body))


def filtered(deliveries: QuerySet[Delivery], request: Request) -> QuerySet[Delivery]:
    """`deliveries` by the request's `monitor_id`, `status` and `since`."""
    if (monitor_id := integer_parameter(request, "monitor_id", "monitor_id must be an integer")) is not None:
        deliveries = deliveries.filter(subject_id=monitor_id)
    if status := request.query_params.get("status"):
        if status not in Status.values:
            raise Refusal(400, f"status must be one of: {', '.join(Status.values)}")
        deliveries = deliveries.filter(status=status)
    if since := instant_parameter(request, "since"):
        deliveries = deliveries.filter(created_at__gte=since)
    return deliveries
