"""/webhook-deliveries: the account's delivery log."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account
from api.base import View, path_id
from api.dialects.native.webhooks import delivery_body, logged_delivery_body
from api.errors import Refusal
from api.query import Page, choice_parameter, instant_parameter, integer_parameter
from webhooks.models import Delivery, Status
from webhooks.replaying import NotReplayable, replay


class DeliveryList(View):
    resource = "webhooks"

    def get(self, request: Request) -> Response:
        """The account's deliveries, newest first, filtered and paged."""
        page = Page.of(request)
        mine = Delivery.objects.filter(account=self.account).select_related("event").order_by("-pk")
        return Response(page.body("deliveries", filtered(mine, request), delivery_body))


class DeliveryDetail(View):
    resource = "webhooks"

    def get(self, request: Request, id_text: str) -> Response:
        """One delivery with its attempts."""
        return Response(logged_delivery_body(find(self.account, id_text)))


class DeliveryReplay(View):
    resource = "webhooks"

    def post(self, request: Request, id_text: str) -> Response:
        """Send a finished delivery again, as the same delivery."""
        try:
            replayed = replay(find(self.account, id_text), timezone.now())
        except NotReplayable as error:
            raise Refusal(409, str(error)) from error
        except Delivery.DoesNotExist as error:
            raise Refusal(404, "delivery not found") from error
        return Response(logged_delivery_body(replayed))


def find(account: Account, id_text: str) -> Delivery:
    """The account's delivery with this id; refuses with 400 and 404."""
    mine = Delivery.objects.filter(account=account).select_related("event")
    delivery = mine.filter(pk=path_id(id_text, "invalid delivery ID")).first()
    if delivery is None:
        raise Refusal(404, "delivery not found")
    return delivery


def filtered(deliveries: QuerySet[Delivery], request: Request) -> QuerySet[Delivery]:
    """`deliveries` by the request's `monitor_id`, `status` and `since`."""
    if (monitor_id := integer_parameter(request, "monitor_id", "monitor_id must be an integer")) is not None:
        deliveries = deliveries.filter(subject_id=monitor_id)
    if status := choice_parameter(request, "status", Status.values):
        deliveries = deliveries.filter(status=status)
    if since := instant_parameter(request, "since"):
        deliveries = deliveries.filter(created_at__gte=since)
    return deliveries
