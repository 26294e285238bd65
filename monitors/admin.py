"""Monitors, their state, regions and leases in the admin."""

from __future__ import annotations

from django.contrib import admin

from monitors.models import Lease, Monitor, MonitorState, Pulse, Region


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
    list_display = ("name", "last_seen_at", "worker", "in_flight")


admin.site.register([Lease, Pulse])
