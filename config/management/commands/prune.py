"""`manage.py prune`: at once what the schedule does every minute and every hour."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Model

from incidents.models import Incident, Round
from incidents.tasks import forget_old as forget_incidents
from monitors.partitions import EVIDENCE
from monitors.tasks import keep_partitions
from webhooks.models import Delivery, Event
from webhooks.tasks import forget_old as forget_deliveries

TABLES: tuple[type[Model], ...] = (Incident, Round, Event, Delivery)


class Command(BaseCommand):
    help = "Make the partitions that are to come, drop what is past its retention, and say how much that was."

    def handle(self, *args: Any, **options: Any) -> None:
        days, rows = EVIDENCE.partitions(), _counts()
        for step in (keep_partitions, forget_incidents, forget_deliveries):
            step()
        kept = EVIDENCE.partitions()
        self.stdout.write(f"partitions made: {len(kept - days)}, dropped: {len(days - kept)}")
        for model, count in _counts().items():
            self.stdout.write(f"{model._meta.verbose_name_plural} dropped: {rows[model] - count}")


def _counts() -> dict[type[Model], int]:
    return {model: model._default_manager.count() for model in TABLES}
