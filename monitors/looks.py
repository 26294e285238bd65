"""What a customer's own servers saw of a monitor, among its evidence."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q, QuerySet

from monitors.assignments import PREFIX
from monitors.models import Evidence


def looks_at(monitor_id: int, limit: int) -> list[Evidence]:
    """The newest looks of servers, newest first, whatever came of them."""
    return list(_looks(monitor_id).order_by("-scheduled_at", "-region")[:limit])


def share_up(monitor_id: int, since: datetime) -> float | None:
    """The share of the looks since then that said up, of those that said up or down; None: none did."""
    said = _looks(monitor_id).filter(scheduled_at__gte=since)
    counts = said.aggregate(
        ups=Count("monitor_id", filter=Q(outcome="up")), downs=Count("monitor_id", filter=Q(outcome="down"))
    )
    total = counts["ups"] + counts["downs"]
    return counts["ups"] / total if total else None


def _looks(monitor_id: int) -> QuerySet[Evidence]:
    return Evidence.objects.filter(monitor_id=monitor_id, region__startswith=PREFIX)
