"""/monitors/{id}/webhook: a monitor's one webhook slot, and what can be done with it."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.limits import Bucket
from api.base import View, body_of
from api.dialects.native.webhooks import logged_delivery_body, webhook_body, webhook_fields
from api.errors import Refusal
from api.limits import take_or_refuse
from api.targets import check_http_url
from api.views.monitors import find
from incidents.events import about
from monitors.models import Monitor
from webhooks.models import Webhook
from webhooks.samples import WebhookDisabled, send_sample
from webhooks.services import get_webhook, remove_webhook, rotate_secret, set_webhook

TESTS_OF_A_WEBHOOK = Bucket("tests-of-webhook", 1, window_seconds=10)


class WebhookSlot(View):
    resource = "webhooks"

    def get(self, request: Request, id_text: str) -> Response:
        """The webhook with its secret."""
        return Response(webhook_body(webhook_of(find(self.account, id_text))))

    def put(self, request: Request, id_text: str) -> Response:
        """Set the webhook's URL; one that is there keeps its id and its secret."""
        monitor = find(self.account, id_text)
        fields = webhook_fields(body_of(request))
        check_http_url(fields["url"])
        webhook = set_webhook(account_id=self.account.pk, subject_id=monitor.pk, now=timezone.now(), **fields)
        return Response(webhook_body(webhook))

    def delete(self, request: Request, id_text: str) -> Response:
        """Remove the webhook; deliveries still due to it end."""
        monitor = find(self.account, id_text)
        if not remove_webhook(account_id=self.account.pk, subject_id=monitor.pk):
            raise Refusal(404, "webhook not found")
        return Response(status=204)


class WebhookRotation(View):
    resource = "webhooks"

    def post(self, request: Request, id_text: str) -> Response:
        """Give the webhook a new secret, beside which the old one signs for a day."""
        monitor = find(self.account, id_text)
        webhook = rotate_secret(account_id=self.account.pk, subject_id=monitor.pk, now=timezone.now())
        if webhook is None:
            raise Refusal(404, "webhook not found")
        return Response(webhook_body(webhook))


class WebhookTest(View):
    resource = "webhooks"

    def post(self, request: Request, id_text: str) -> Response:
        """Send the webhook a sample event, and show the delivery that it became."""
        monitor = find(self.account, id_text)
        webhook = webhook_of(monitor)
        take_or_refuse(TESTS_OF_A_WEBHOOK, str(webhook.pk), "too many tests for this webhook")
        now = timezone.now()
        try:
            delivery = send_sample(webhook, about(monitor, now), now)
        except WebhookDisabled as error:
            raise Refusal(409, "webhook is disabled") from error
        except Webhook.DoesNotExist as error:
            raise Refusal(404, "webhook not found") from error
        return Response(logged_delivery_body(delivery))


def webhook_of(monitor: Monitor) -> Webhook:
    """The monitor's webhook; refuses with 404 where it has none."""
    webhook = get_webhook(account_id=monitor.account_id, subject_id=monitor.pk)
    if webhook is None:
        raise Refusal(404, "webhook not found")
    return webhook
