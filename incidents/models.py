"""Rounds and their votes, transitions, incidents."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from accounts.models import Account
from incidents.case import IncidentType
from monitors.models import Monitor
from monitors.status import Status


class Round(models.Model):
    """The confirmation of one dissenting check. Kept, decided or not: it is the verdict's receipt."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="rounds")
    scheduled_at = models.DateTimeField()
    config_version = models.PositiveIntegerField()
    mode = models.CharField(max_length=16)
    opened_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    extended = models.BooleanField(default=False)
    """A silent region was already replaced, once."""
    regional = ArrayField(models.CharField(max_length=32), default=list)
    """The regions that failed alone, as the verdict left it."""
    verdict = models.CharField(max_length=12, blank=True)
    """up, down or inconclusive; empty while the round is open."""
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["monitor"], condition=Q(closed_at=None), name="one_open_round"),
            models.UniqueConstraint(fields=["monitor", "scheduled_at"], name="one_round_per_check"),
        ]
        indexes = [
            models.Index(fields=["deadline_at"], condition=Q(closed_at=None), name="round_overdue"),
            models.Index(fields=["opened_at"], name="rounds_by_age"),
        ]

    def __str__(self) -> str:
        return f"round {self.pk} of {self.monitor_id}: {self.verdict or 'open'}"


class Vote(models.Model):
    """What one region was asked in a round, and what it answered."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="votes")
    region = models.CharField(max_length=32)
    attempt = models.PositiveSmallIntegerField(default=1)
    ask_at = models.DateTimeField()
    """When to ask: at once, but for the spaced tries of a region that is alone."""
    asked_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, blank=True)
    """up, down, missed or error; empty while the region is silent."""
    evidence = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    """The probe's result as its message carried it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "region", "attempt"], name="one_vote_per_try"),
        ]

    def __str__(self) -> str:
        return f"{self.region}: {self.outcome or 'silent'}"


class Transition(models.Model):
    """A change of state, caused by a verdict."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="transitions")
    sequence = models.PositiveIntegerField()
    from_status = models.CharField(max_length=8, choices=[(each.value, each.value) for each in Status])
    to_status = models.CharField(max_length=8, choices=[(each.value, each.value) for each in Status])
    reason = models.CharField(max_length=64, blank=True)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="transitions")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["monitor", "sequence"], name="one_transition_per_sequence"),
        ]

    def __str__(self) -> str:
        return f"{self.monitor_id} {self.from_status} → {self.to_status}"

    def deciding_votes(self) -> list[Vote]:
        """The votes of its round that say what it changed to, in the order in which they were asked."""
        return list(self.round.votes.filter(outcome=self.to_status).order_by("pk"))


class Incident(models.Model):
    """The time between a `down` (or `flapping`) transition and its end."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="incidents")
    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="incidents")
    type = models.CharField(max_length=8, choices=[(each.value, each.value) for each in IncidentType])
    reason = models.CharField(max_length=64)
    """The error class that most of the votes gave."""
    mode = models.CharField(max_length=16)
    """How it was confirmed, such as `2-of-3`."""
    started_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=16, blank=True)
    """Why it ended: recovered, stable or paused."""
    evidence = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    """The results that decided, as their messages carried them."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["monitor", "type"], condition=Q(resolved_at=None), name="one_open_incident"
            ),
        ]
        indexes = [models.Index(fields=["account", "-started_at"], name="incidents_newest")]

    def __str__(self) -> str:
        return f"{self.type} of {self.monitor_id} since {self.started_at}"


class MonitorHour(models.Model):
    """What was confirmed of a monitor in one hour; no row where that is nothing. See `rollups`."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="hours", db_index=False)
    hour = models.DateTimeField(db_index=True)
    downtime_seconds = models.FloatField()
    incidents = models.PositiveIntegerField()
    """Those that began in it."""
    inconclusive = models.PositiveIntegerField()
    """Rounds that opened in it and ended without a verdict."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["monitor", "hour"], name="one_row_per_monitor_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.monitor_id} in {self.hour}: {self.downtime_seconds} s down"
