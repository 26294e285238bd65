"""`manage.py regions`: the regions of this installation, and whether their votes count."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from monitors import regions
from monitors.models import Region


class Command(BaseCommand):
    help = "List the regions in the order in which they take turns: whether they vote, and their last report."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        troubles, rows = regions.troubles(now), Region.objects.in_bulk(settings.REGIONS)
        for name in settings.REGIONS:
            report = f"  {_report(rows[name])}" if name in rows else ""
            self.stdout.write(f"{name:<12} {troubles.get(name, 'votes')}{report}")


def _report(region: Region) -> str:
    return (
        f"({region.worker}, {region.in_flight} in flight, seen {region.last_seen_at:%Y-%m-%d %H:%M:%S} UTC)"
    )
