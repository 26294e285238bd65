"""What staff did here, to read."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry

from staff import show
from staff.base import ReadOnlyAdmin, value_filter

KINDS = {"added": ADDITION, "changed": CHANGE, "deleted": DELETION}


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin[LogEntry]):
    list_display = ("at", "user", "content_type", "object_repr", "message")
    list_display_links = ("at",)
    list_filter = (value_filter("kind", "action_flag", KINDS),)
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr")
    fields = ("action_time", "user", "content_type", "object_id", "object_repr", "message")

    @admin.display(description="at")
    def at(self, entry: LogEntry) -> str:
        return show.instant(entry.action_time)

    @admin.display(description="what")
    def message(self, entry: LogEntry) -> str:
        return entry.get_change_message() or {flag: name for name, flag in KINDS.items()}[entry.action_flag]
