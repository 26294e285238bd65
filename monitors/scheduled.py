"""What scheduling reads and remembers: what is to be looked at, and up to where that is claimed."""

from __future__ import annotations

from django.db import models
from django.db.models import F

from monitors.phases import PHASE_MS


class Scheduled(models.Model):
    """All that a claim reads of a monitor that regions look at, in one row: half the cost of reading two.

    Nobody writes it: triggers keep it like the monitor and its state (migration 0017), of which only
    columns that checks leave alone are here. So its rows mostly stay where they are.
    """

    monitor_id = models.BigIntegerField(primary_key=True)
    interval_seconds = models.PositiveIntegerField()
    scheduled_since = models.DateTimeField()
    config_version = models.PositiveIntegerField()
    status = models.CharField(max_length=8)
    type = models.CharField(max_length=16)
    url = models.CharField(max_length=2048)
    timeout_ms = models.PositiveIntegerField()
    options = models.JSONField()

    class Meta:
        indexes = [models.Index(F("interval_seconds"), PHASE_MS, name="scheduled_slots")]

    def __str__(self) -> str:
        return f"{self.monitor_id} every {self.interval_seconds} s"


class Schedule(models.Model):
    """All that scheduling remembers: slots up to this instant, and in it, are claimed, or were missed."""

    interval_seconds = models.PositiveIntegerField(primary_key=True)
    claimed_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"every {self.interval_seconds} s: until {self.claimed_until}"
