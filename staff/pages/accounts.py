"""Accounts with their limits and what they use of them, keys and feed tokens. No secret is ever shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Account, ApiKey, FeedToken
from incidents.models import Incident
from monitors.models import Monitor
from staff import show
from staff.acting import CannotAct, action
from staff.base import ReadOnlyAdmin, StaffAdmin, choice_filter, value_filter
from webhooks.models import Delivery, Webhook

STATES = {"active": Q(suspended_at=None), "suspended": Q(suspended_at__isnull=False)}


@action("Suspend", "The API refuses these accounts from now on. Their monitors are looked at as before.")
def suspend(account: Account, now: datetime) -> None:
    if not Account.objects.filter(pk=account.pk, suspended_at=None).update(suspended_at=now):
        raise CannotAct("it is suspended already")


@action("Lift the suspension", "The API answers these accounts again.")
def lift_suspension(account: Account, now: datetime) -> None:
    if not Account.objects.filter(pk=account.pk, suspended_at__isnull=False).update(suspended_at=None):
        raise CannotAct("it is not suspended")


@admin.register(Account)
class AccountAdmin(StaffAdmin[Account]):
    """Limits are edited here. There is no deleting: it would take monitors along without their lifecycle."""

    actions = (suspend, lift_suspension)
    list_display = ("id", "name", "state", "monitors", "keys", "requests", "created_at")
    list_display_links = ("id", "name")
    list_filter = (choice_filter("state", STATES),)
    search_fields = ("name",)
    fields = ("name", "state", "monitor_limit", "key_limit", "requests_per_minute", "usage", "created_at")
    readonly_fields = ("state", "usage", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """With the numbers of the list, by a subquery each: they run only for the rows of one page."""
        return (
            super()
            .get_queryset(request)
            .annotate(monitor_count=_count(Monitor), key_count=_count(ApiKey, expires_at=None))
        )

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """No: suspend it."""
        return False

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)

    @admin.display(description="state")
    def state(self, account: Account) -> SafeString | str:
        return show.badge("suspended" if account.suspended_at else "active")

    @admin.display(description="monitors")
    def monitors(self, account: Any) -> SafeString:
        text = f"{account.monitor_count} of {account.monitor_limit}"
        return show.list_link(Monitor, text, account__id__exact=account.pk)

    @admin.display(description="keys")
    def keys(self, account: Any) -> SafeString:
        text = f"{account.key_count} of {account.key_limit}"
        return show.list_link(ApiKey, text, account__id__exact=account.pk)

    @admin.display(description="requests a minute")
    def requests(self, account: Account) -> str:
        own = account.requests_per_minute
        return "as set for all" if own is None else str(own or "any number")

    @admin.display(description="usage")
    def usage(self, account: Any) -> SafeString | str:
        """What there is of it, each with its list."""
        if account.pk is None:
            return show.NOTHING
        lists = [Webhook, Incident, Delivery, FeedToken]
        links = [
            show.list_link(each, each._meta.verbose_name_plural, account__id__exact=account.pk)
            for each in lists
        ]
        head = ("monitors", "keys", "open incidents", "lists")
        open_ = Incident.objects.filter(account=account, resolved_at=None).count()
        return show.table(
            (*head, *[""] * (len(links) - 1)), [(self.monitors(account), self.keys(account), open_, *links)]
        )


def _count(model: type[Any], **filters: Any) -> Coalesce:
    rows = model.objects.filter(account=OuterRef("pk"), **filters).order_by().values("account")
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


@action("Revoke", "These keys are refused from now on, also where an account has no other.")
def revoke(key: ApiKey, now: datetime) -> None:
    if not ApiKey.objects.valid(now).filter(pk=key.pk).update(expires_at=now):
        raise CannotAct("it has ended already")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey]):
    """A key is made by its account, or by `manage.py create_key`, which shows it once."""

    actions = (revoke,)
    list_display = ("prefix", "label", "account_link", "scope", "created_at", "last_used_at", "expires_at")
    list_filter = (
        choice_filter(
            "kind", {"lasting": Q(expires_at=None), "ended or ending": Q(expires_at__isnull=False)}
        ),
    )
    list_select_related = ("account",)
    search_fields = ("label", "prefix", "account__name")
    fields = (
        *("account_link", "label", "prefix", "format", "scope", "created_at", "last_used_at", "expires_at"),
    )

    @admin.display(description="account")
    def account_link(self, key: ApiKey) -> SafeString | str:
        return show.link(key.account)

    @admin.display(description="scopes")
    def scope(self, key: ApiKey) -> str:
        return "everything" if key.scopes is None else ", ".join(key.scopes)


@admin.register(FeedToken)
class FeedTokenAdmin(ReadOnlyAdmin[FeedToken]):
    """To look at, and to delete: then the URL opens nothing any more. The API makes and replaces them."""

    list_display = ("id", "account", "kind", "created_at")
    list_filter = (value_filter("kind", "kind", list(FeedToken.Kind.values)),)
    list_select_related = ("account",)
    search_fields = ("account__name",)
    fields = ("account", "kind", "created_at")

    def has_delete_permission(self, request: HttpRequest, obj: FeedToken | None = None) -> bool:
        """Where the permission was given."""
        return self.has_act_permission(request)
