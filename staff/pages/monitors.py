"""Monitors with what is believed of them, and everything that was seen of each."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from api.dialects.native.monitors import LONGEST_INTERVAL_SECONDS
from api.monitor_types import MONITOR_TYPES
from incidents.lifecycle import update_monitor
from incidents.models import Incident, Round, Transition
from monitors.models import Evidence, Heartbeat, Monitor, MonitorState, RegionalFailure
from monitors.slots import next_slot_ms
from monitors.status import Status
from probes.instants import from_unix_ms, unix_ms
from staff import show
from staff.acting import CannotAct, action
from staff.base import StaffAdmin, choice_filter, value_filter
from webhooks.models import Delivery, Webhook

NEWEST = 20
EVIDENCE_OF = timedelta(days=1)
"""Older evidence is left alone: its partitions need not be opened for a page."""
SECRET_OPTIONS = ("auth", "headers", "body", "payload")
"""What may hold a customer's credentials, sealed or as it is."""

WATCHED = Q(enabled=True)
STATES = {
    **{
        each.value: WATCHED & Q(state__status=each.value) for each in (Status.UP, Status.DOWN, Status.UNKNOWN)
    },
    "flapping": Q(state__flapping_since__isnull=False),
    "failing in a region": Q(pk__in=RegionalFailure.objects.values("state")),
    "paused": Q(enabled=False),
}


@action(
    "Pause",
    "These monitors are looked at no more, and their open incidents end. Their owners may resume them.",
)
def pause(monitor: Monitor, now: datetime) -> None:
    _enable(monitor, False, now)


@action("Resume", "These monitors are looked at again, from no knowledge.")
def resume(monitor: Monitor, now: datetime) -> None:
    _enable(monitor, True, now)


def _enable(monitor: Monitor, enabled: bool, now: datetime) -> None:
    if monitor.enabled == enabled:
        raise CannotAct("it is so already")
    try:
        update_monitor(monitor, {"enabled": enabled}, now)
    except Monitor.DoesNotExist as error:
        raise CannotAct("it is gone") from error


class MonitorForm(forms.ModelForm[Monitor]):
    """What can be edited whatever the type; the rest belongs to the API, which knows what fits it."""

    class Meta:
        model = Monitor
        fields = ("name", "interval_seconds")

    def clean_interval_seconds(self) -> int:
        seconds: int = self.cleaned_data["interval_seconds"]
        if not settings.MIN_INTERVAL_SECONDS <= seconds <= LONGEST_INTERVAL_SECONDS:
            bounds = f"{settings.MIN_INTERVAL_SECONDS} to {LONGEST_INTERVAL_SECONDS}"
            raise forms.ValidationError(f"The interval must be {bounds} seconds.")
        return seconds


@admin.register(Monitor)
class MonitorAdmin(StaffAdmin[Monitor]):
    form = MonitorForm
    actions = (pause, resume)
    list_display = ("id", "name", "status", "type", "account_link", "every", "last_check", "target")
    list_display_links = ("id", "name")
    list_filter = (
        choice_filter("status", STATES),
        value_filter("type", "type", sorted(MONITOR_TYPES)),
        "enabled",
    )
    list_select_related = ("account", "state")
    search_fields = ("name", "url", "account__name")
    search_help_text = "An id, or a part of a name, a URL or an account's name"
    fieldsets = (
        (None, {"fields": ("name", "interval_seconds", "account_link", "type", "url", "timeout_ms")}),
        ("Configuration", {"fields": ("confirmation_count", "options_shown", "created_at", "updated_at")}),
        ("State", {"fields": ("status", "believed", "failures", "pings")}),
        ("What happened", {"fields": ("lists", "rounds", "transitions", "incidents")}),
        ("Evidence", {"fields": ("evidence",)}),
    )
    readonly_fields = (
        *("account_link", "type", "url", "timeout_ms", "confirmation_count", "options_shown", "created_at"),
        *(
            "updated_at",
            "status",
            "believed",
            "failures",
            "pings",
            "lists",
            "rounds",
            "transitions",
            "incidents",
        ),
        "evidence",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No: the API makes monitors, and checks what fits each type."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Monitor | None = None) -> bool:
        """No: pause it; deleting is its owner's."""
        return False

    def save_model(self, request: HttpRequest, obj: Monitor, form: Any, change: bool) -> None:
        """Through the lifecycle, so that schedule and state follow."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        update_monitor(obj, changes, timezone.now())

    @admin.display(description="account")
    def account_link(self, monitor: Monitor) -> SafeString | str:
        return show.link(monitor.account)

    @admin.display(description="status")
    def status(self, monitor: Monitor) -> SafeString | str:
        if not monitor.enabled:
            return show.badge("paused")
        return show.badge("flapping" if monitor.state.flapping_since else monitor.state.status)

    @admin.display(description="url")
    def target(self, monitor: Monitor) -> str:
        return show.short(monitor.url)

    @admin.display(description="every")
    def every(self, monitor: Monitor) -> str:
        return show.lasted(timedelta(seconds=monitor.interval_seconds))

    @admin.display(description="last check")
    def last_check(self, monitor: Monitor) -> str:
        return show.instant(monitor.state.last_check_at)

    @admin.display(description="options")
    def options_shown(self, monitor: Monitor) -> SafeString:
        """As they are stored, but for what may be a credential."""
        options = {
            name: "(not shown)" if name in SECRET_OPTIONS else value
            for name, value in monitor.options.items()
        }
        return format_html("<pre>{}</pre>", json.dumps(options, indent=1, ensure_ascii=False))

    @admin.display(description="believed")
    def believed(self, monitor: Monitor) -> SafeString:
        state = monitor.state
        head = (
            "since",
            "last check",
            "next check",
            "interval in force",
            "failed in a row",
            "missed",
            "changes",
        )
        values = (
            *map(show.instant, (state.status_since, state.last_check_at, next_check(state, timezone.now()))),
            show.lasted(timedelta(seconds=state.interval_seconds)),
            *(state.consecutive_fails, state.missed_checks, state.sequence),
        )
        return show.table(head, [values])

    @admin.display(description="regional failures")
    def failures(self, monitor: Monitor) -> SafeString:
        rows = monitor.state.regional_failures.order_by("region")
        return show.table(
            ("region", "error class", "since", "seen"),
            [
                (row.region, row.error_class, show.instant(row.since), show.instant(row.seen_at))
                for row in rows
            ],
        )

    @admin.display(description="pings")
    def pings(self, monitor: Monitor) -> SafeString:
        """Of a monitor that reports by itself."""
        rows = Heartbeat.objects.filter(monitor=monitor)
        return show.table(
            ("last ping", "last run ms", "run began", "alarm"),
            [
                (
                    *(show.instant(row.last_ping_at), show.milliseconds(row.last_run_ms)),
                    *map(show.instant, (row.run_started_at, row.alarm_at)),
                )
                for row in rows
            ],
            empty="none: it is looked at",
        )

    @admin.display(description="lists")
    def lists(self, monitor: Monitor) -> SafeString:
        rounds = show.list_link(Round, "all rounds", q=monitor.pk)
        incidents = show.list_link(Incident, "all incidents", q=monitor.pk)
        deliveries = show.list_link(Delivery, "deliveries", q=monitor.pk)
        webhooks = show.list_link(Webhook, "webhook", q=monitor.pk)
        return format_html("{} · {} · {} · {}", rounds, incidents, deliveries, webhooks)

    @admin.display(description="newest rounds")
    def rounds(self, monitor: Monitor) -> SafeString:
        rows = monitor.rounds.order_by("-opened_at")[:5]
        return show.table(
            ("round", "opened", "mode", "verdict"),
            [
                (show.link(row, row.pk), show.precise(row.opened_at), row.mode, verdict_of(row))
                for row in rows
            ],
        )

    @admin.display(description="newest transitions")
    def transitions(self, monitor: Monitor) -> SafeString:
        rows = Transition.objects.filter(monitor=monitor).order_by("-sequence")[:5]
        return show.table(
            ("at", "from", "to", "reason", "round"),
            [
                (
                    show.precise(row.at),
                    *map(show.badge, (row.from_status, row.to_status)),
                    row.reason,
                    show.link_to(Round, row.round_id, row.round_id),
                )
                for row in rows
            ],
        )

    @admin.display(description="newest incidents")
    def incidents(self, monitor: Monitor) -> SafeString:
        rows = monitor.incidents.order_by("-started_at")[:5]
        return show.table(
            ("incident", "type", "reason", "started", "resolved"),
            [
                (
                    show.link(row, row.pk),
                    *(show.badge(row.type), row.reason, show.instant(row.started_at)),
                    show.instant(row.resolved_at) if row.resolved_at else show.badge("open"),
                )
                for row in rows
            ],
        )

    @admin.display(description="newest, of a day")
    def evidence(self, monitor: Monitor) -> SafeString:
        since = timezone.now() - EVIDENCE_OF
        rows = Evidence.objects.filter(monitor_id=monitor.pk, scheduled_at__gte=since)
        return show.table(EVIDENCE_HEAD, map(_evidence_row, rows.order_by("-scheduled_at")[:NEWEST]))


EVIDENCE_HEAD = (
    *("started", "region", "round", "outcome", "error class", "status", "address"),
    *("total ms", "dns", "connect", "tls", "first byte", "error"),
)


def next_check(state: MonitorState, now: datetime) -> datetime | None:
    """When regions look next: at its next slot, or before."""
    if state.scheduled_since is None:
        return None
    slot = from_unix_ms(next_slot_ms(state.pk, state.interval_seconds * 1000, unix_ms(now)))
    return min(slot, state.extra_check_at or slot)


def verdict_of(round_: Round) -> SafeString | str:
    """The verdict of a round, or that it is open."""
    return show.badge(round_.verdict or "open")


def _evidence_row(row: Evidence) -> tuple[object, ...]:
    timings = (row.total_ms, row.dns_ms, row.connect_ms, row.tls_ms, row.ttfb_ms)
    return (
        show.precise(row.started_at),
        row.region,
        show.link_to(Round, row.round_id, row.round_id) if row.round_id else show.NOTHING,
        show.badge(row.outcome),
        *(row.error_class, row.status_code or show.NOTHING, row.address),
        *map(show.milliseconds, timings),
        row.error,
    )
