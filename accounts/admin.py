"""Accounts, keys and feed tokens in the admin. A key's secret was never stored, so it cannot be shown."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Account, ApiKey, FeedToken


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin[Account]):
    actions = ("suspend", "lift_suspension")
    list_display = ("id", "name", "created_at", "suspended_at")
    search_fields = ("name",)

    @admin.action(description="Suspend: the API refuses them")
    def suspend(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        accounts.filter(suspended_at=None).update(suspended_at=timezone.now())

    @admin.action(description="Lift the suspension")
    def lift_suspension(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        accounts.update(suspended_at=None)


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin[ApiKey]):
    list_display = ("id", "account", "label", "prefix", "created_at", "last_used_at", "expires_at")
    search_fields = ("label", "prefix", "account__name")
    readonly_fields = ("account", "prefix", "format", "created_at", "last_used_at")
    exclude = ("digest",)

    def has_add_permission(self, request: object, obj: ApiKey | None = None) -> bool:
        """A key is made by `manage.py create_key`, which shows it once."""
        return False


@admin.register(FeedToken)
class FeedTokenAdmin(admin.ModelAdmin[FeedToken]):
    """To look at, and to delete: then the URL opens nothing any more."""

    list_display = ("id", "account", "kind", "created_at")
    list_filter = ("kind",)
    list_select_related = ("account",)
    exclude = ("digest", "sealed")

    def has_add_permission(self, request: object, obj: FeedToken | None = None) -> bool:
        """A token is made by the API."""
        return False

    def has_change_permission(self, request: object, obj: FeedToken | None = None) -> bool:
        """A token is replaced by the API."""
        return False
