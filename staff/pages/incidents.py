"""Incidents, each with its timeline."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from django.utils.safestring import SafeString

from incidents.case import IncidentType
from incidents.models import Incident
from staff import show
from staff.base import ReadOnlyAdmin, choice_filter, value_filter
from staff.timeline import timeline


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin[Incident]):
    list_display = ("id", "monitor_link", "account_link", "type_shown", "reason", "mode", "started", "ended")
    list_filter = (
        choice_filter("state", {"open": Q(resolved_at=None), "resolved": Q(resolved_at__isnull=False)}),
        value_filter("type", "type", [each.value for each in IncidentType]),
    )
    list_select_related = ("monitor", "account")
    search_fields = ("pk",)
    search_help_text = "The id of an incident or of a monitor"
    number_fields = ("pk", "monitor")
    fieldsets = (
        (None, {"fields": ("monitor_link", "account_link", "type_shown", "reason", "mode")}),
        (None, {"fields": ("started", "ended", "lasted")}),
        ("Timeline", {"fields": ("timeline",)}),
    )

    @admin.display(description="monitor")
    def monitor_link(self, incident: Incident) -> SafeString | str:
        return show.link(incident.monitor)

    @admin.display(description="account")
    def account_link(self, incident: Incident) -> SafeString | str:
        return show.link(incident.account)

    @admin.display(description="type")
    def type_shown(self, incident: Incident) -> SafeString | str:
        return show.badge(incident.type)

    @admin.display(description="started")
    def started(self, incident: Incident) -> str:
        return show.instant(incident.started_at)

    @admin.display(description="resolved")
    def ended(self, incident: Incident) -> SafeString | str:
        return show.instant(incident.resolved_at) if incident.resolved_at else show.badge("open")

    @admin.display(description="lasted")
    def lasted(self, incident: Incident) -> str:
        return show.lasted((incident.resolved_at or timezone.now()) - incident.started_at)

    @admin.display(description="timeline")
    def timeline(self, incident: Incident) -> SafeString:
        entries = timeline(incident, timezone.now())
        return show.table(
            ("at", "what", ""), [(show.precise(entry.at), entry.what, entry.detail) for entry in entries]
        )
