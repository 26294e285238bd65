"""Monitors, their state, regions and leases in the admin."""

from __future__ import annotations

from django.contrib import admin

from monitors.models import (
    KillSwitch,
    Lease,
    Monitor,
    MonitorState,
    OperatorEvent,
    OptOut,
    Pulse,
    Region,
    RegionalFailure,
)


@admin.register(Monitor)
class MonitorAdmin(admin.ModelAdmin[Monitor]):
    list_display = ("id", "account", "name", "type", "url", "interval_seconds", "enabled")
    list_filter = ("type", "enabled")
    search_fields = ("name", "url", "account__name")
    list_select_related = ("account",)


@admin.register(MonitorState)
class MonitorStateAdmin(admin.ModelAdmin[MonitorState]):
    list_display = ("monitor", "status", "status_since", "last_check_at", "next_check_at")
    list_filter = ("status",)
    list_select_related = ("monitor",)


@admin.register(Region)
class RegionAdmin(admin.ModelAdmin[Region]):
    list_display = ("name", "last_seen_at", "worker", "in_flight", "sick", "suspect_since")


@admin.register(KillSwitch)
class KillSwitchAdmin(admin.ModelAdmin[KillSwitch]):
    list_display = ("reason", "engaged_at")


@admin.register(OptOut)
class OptOutAdmin(admin.ModelAdmin[OptOut]):
    list_display = ("domain", "note", "created_at")
    search_fields = ("domain",)


@admin.register(RegionalFailure)
class RegionalFailureAdmin(admin.ModelAdmin[RegionalFailure]):
    list_display = ("state", "region", "error_class", "since", "seen_at")
    list_filter = ("region", "error_class")
    raw_id_fields = ("state",)


@admin.register(OperatorEvent)
class OperatorEventAdmin(admin.ModelAdmin[OperatorEvent]):
    list_display = ("kind", "began_at", "ended_at", "detail")
    list_filter = ("kind",)


admin.site.register([Lease, Pulse])
