"""The outbox: webhooks, events, and deliveries with their attempts. What signs a delivery is never shown."""

from __future__ import annotations

import json
from datetime import datetime

from django.contrib import admin
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.html import format_html
from django.utils.safestring import SafeString

from incidents.events import EVENTS
from monitors.models import Monitor
from staff import show
from staff.acting import CannotAct, action
from staff.base import ReadOnlyAdmin, choice_filter, value_filter
from webhooks.models import OPEN, Delivery, Event, Status, Webhook
from webhooks.replaying import NotReplayable
from webhooks.replaying import replay as replay_delivery

STATUSES = {each.value: Q(status=each.value) for each in Status} | {
    "due": Q(status__in=OPEN, next_attempt_at__lte=Now())
}
ATTEMPT = ("attempt", "started", "ms", "status", "error class", "error", "answer")


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin[Webhook]):
    list_display = ("id", "account_link", "monitor_link", "target", "state", "created_at")
    list_filter = (
        choice_filter("state", {"active": Q(disabled_at=None), "disabled": Q(disabled_at__isnull=False)}),
    )
    list_select_related = ("account",)
    search_fields = ("url", "account__name")
    search_help_text = "The id of a webhook or of a monitor, or a part of the URL or the account's name"
    number_fields = ("pk", "subject_id")
    fields = (
        *("account_link", "monitor_link", "url", "events", "state", "disabled_at", "disabled_reason"),
        *("previous_secret_until", "created_at"),
    )

    @admin.display(description="account")
    def account_link(self, webhook: Webhook) -> SafeString | str:
        return show.link(webhook.account)

    @admin.display(description="monitor")
    def monitor_link(self, webhook: Webhook) -> SafeString:
        return show.link_to(Monitor, webhook.subject_id, webhook.subject_id)

    @admin.display(description="url")
    def target(self, webhook: Webhook) -> str:
        return show.short(webhook.url)

    @admin.display(description="state")
    def state(self, webhook: Webhook) -> SafeString | str:
        return show.badge("failed: disabled" if webhook.disabled_at else "active")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin[Event]):
    list_display = ("id", "type", "monitor_link", "key", "occurred_at")
    list_filter = (value_filter("type", "type", list(EVENTS)),)
    search_fields = ("pk",)
    search_help_text = "The id of an event or of a monitor"
    number_fields = ("pk", "subject_id")
    fields = ("type", "account", "monitor_link", "key", "occurred_at", "body", "deliveries")

    @admin.display(description="monitor")
    def monitor_link(self, event: Event) -> SafeString:
        return show.link_to(Monitor, event.subject_id, event.subject_id)

    @admin.display(description="body")
    def body(self, event: Event) -> SafeString:
        text = json.dumps(json.loads(event.payload), indent=1, ensure_ascii=False)
        return format_html("<pre>{}</pre>", text)

    @admin.display(description="deliveries")
    def deliveries(self, event: Event) -> SafeString:
        rows = event.deliveries.order_by("pk")
        return show.table(
            ("delivery", "status", "attempts"),
            [(show.link(row, row.pk), show.badge(row.status), row.attempt_count) for row in rows],
        )


@action("Replay", "These deliveries are sent again, with the ids and bodies that they had.")
def replay(delivery: Delivery, now: datetime) -> None:
    try:
        replay_delivery(delivery, now)
    except NotReplayable as why:
        raise CannotAct(str(why)) from why


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin[Delivery]):
    actions = (replay,)
    list_display = (
        *("id", "event_shown", "monitor_link", "webhook_link", "status_shown", "attempt_count"),
        *("last_response_code", "next_attempt"),
    )
    list_filter = (choice_filter("status", STATUSES),)
    list_select_related = ("event",)
    search_fields = ("pk",)
    search_help_text = "The id of a delivery or of a monitor"
    number_fields = ("pk", "subject_id")
    fieldsets = (
        (None, {"fields": ("event_shown", "account", "monitor_link", "webhook_link", "created_at")}),
        ("Attempts", {"fields": ("status_shown", "next_attempt", "lease_until", "attempts")}),
    )

    @admin.display(description="event")
    def event_shown(self, delivery: Delivery) -> SafeString | str:
        return show.link(delivery.event, delivery.event.type)

    @admin.display(description="monitor")
    def monitor_link(self, delivery: Delivery) -> SafeString:
        return show.link_to(Monitor, delivery.subject_id, delivery.subject_id)

    @admin.display(description="webhook")
    def webhook_link(self, delivery: Delivery) -> SafeString:
        return show.link_to(Webhook, delivery.webhook_id, delivery.webhook_id)

    @admin.display(description="status")
    def status_shown(self, delivery: Delivery) -> SafeString | str:
        return show.badge(delivery.status)

    @admin.display(description="next attempt")
    def next_attempt(self, delivery: Delivery) -> str:
        return show.instant(delivery.next_attempt_at) if delivery.status in OPEN else show.NOTHING

    @admin.display(description="attempts")
    def attempts(self, delivery: Delivery) -> SafeString:
        rows = delivery.attempts.order_by("number")
        return show.table(
            ATTEMPT,
            [
                (
                    *(
                        row.number,
                        show.precise(row.started_at),
                        row.duration_ms,
                        row.status_code or show.NOTHING,
                    ),
                    *(row.error_class, row.error, row.response_head),
                )
                for row in rows
            ],
        )
