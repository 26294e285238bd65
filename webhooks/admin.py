"""The outbox in the admin: to look at. What signs a delivery is never shown."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from webhooks.models import Attempt, Delivery, Event, Webhook

M = TypeVar("M", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[M]):
    """Rows that only the code writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """No: deleting a webhook is more than deleting its row."""
        return False


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin[Webhook]):
    list_display = ("id", "account", "subject_id", "created_at")
    exclude = ("secret", "previous_secret")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin[Event]):
    list_display = ("id", "account", "subject_id", "type", "key", "occurred_at")
    list_filter = ("type",)
    search_fields = ("key",)


class AttemptInline(admin.TabularInline[Attempt, Delivery]):
    model = Attempt


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin[Delivery]):
    list_display = (
        "id",
        "event",
        "webhook_id",
        "status",
        "attempt_count",
        "next_attempt_at",
        "last_response_code",
    )
    list_filter = ("status",)
    list_select_related = ("event",)
    inlines = (AttemptInline,)
