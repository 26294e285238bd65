"""News: written here, read at /feed.xml."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from api.models import NewsItem
from staff.base import StaffAdmin


@admin.register(NewsItem)
class NewsItemAdmin(StaffAdmin[NewsItem]):
    list_display = ("title", "published_at")
    search_fields = ("title", "text")
    ordering = ("-published_at",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Published now, unless staff say otherwise."""
        return {"published_at": timezone.now()}
