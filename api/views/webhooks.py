"""/monitors/{id}/webhook: a monitor's one webhook slot."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import View, body_of
from api.dialects import native
from api.errors import Refusal
from api.targets import check_http_url
from api.views.monitors import find
from webhooks.services import get_webhook, remove_webhook, set_webhook


class WebhookSlot(View):
    resource = "webhooks"

    def get(self, request: Request, id_text: str) -> Response:
        """The webhook with its secret."""
        webhook = get_webhook(account_id=self.account.pk, subject_id=find(self.account, id_text).pk)
        if webhook is None:
            raise Refusal(404, "webhook not found")
        return Response(native.webhook_body(webhook))

    def put(self, request: Request, id_text: str) -> Response:
        """Set the webhook's URL; one that is there keeps its id and its secret."""
        monitor = find(self.account, id_text)
        fields = native.webhook_fields(body_of(request))
        check_http_url(fields["url"])
        webhook = set_webhook(account_id=self.account.pk, subject_id=monitor.pk, now=timezone.now(), **fields)
        return Response(native.webhook_body(webhook))

    def delete(self, request: Request, id_text: str) -> Response:
        """Remove the webhook; deliveries still due to it end."""
        monitor = find(self.account, id_text)
        if not remove_webhook(account_id=self.account.pk, subject_id=monitor.pk):
            raise Refusal(404, "webhook not found")
        return Response(status=204)
