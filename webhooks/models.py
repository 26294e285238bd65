"""Webhooks, events, deliveries and attempts: the outbox, and the log that a customer reads.

A subject is what an event is about, in the publisher's terms; here it is a number.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Account


class Webhook(models.Model):
    """The URL that is told of one subject's events; one a subject.

    Its text shows neither URL nor secret: both can be credentials.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="webhooks")
    subject_id = models.BigIntegerField(unique=True)
    url = models.CharField(max_length=2048)
    secret = models.TextField()
    """Sealed; `sealing.open_secret` opens it."""
    previous_secret = models.TextField(blank=True)
    """Sealed as well: the one before, which signs too until `previous_secret_until`."""
    previous_secret_until = models.DateTimeField(null=True)
    events = ArrayField(models.CharField(max_length=100), null=True)
    """The types of event that it is told of; null: all those that no one has to ask for."""
    disabled_at = models.DateTimeField(null=True)
    """Since when it is told nothing, until it is set again; null: it is told."""
    disabled_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"webhook {self.pk} of subject {self.subject_id}"


class Event(models.Model):
    """Something that happened to a subject, frozen when it was published."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    subject_id = models.BigIntegerField(db_index=True)
    type = models.CharField(max_length=100)
    key = models.CharField(max_length=200, unique=True)
    """The publisher's name for what happened: publishing it again is no second event."""
    payload = models.TextField()
    """A JSON object in ASCII, the body of every attempt but for its last two members."""
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.type} {self.key}"


class Status(models.TextChoices):
    """Of a delivery, in the words of the delivery log."""

    PENDING = "pending"
    """No attempt has been recorded since it was published or replayed."""
    RETRYING = "retrying"
    """At least one attempt failed, and another is due at `next_attempt_at`."""
    DELIVERED = "delivered"
    FAILED = "failed"


OPEN = (Status.PENDING, Status.RETRYING)


class Delivery(models.Model):
    """One event on its way to one webhook. Its id is the `delivery_id` by which receivers deduplicate."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject_id = models.BigIntegerField()
    webhook_id = models.BigIntegerField()
    """No foreign key: the log still names a webhook that was removed."""
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    """Attempts recorded, of all chains. One that was lost with its worker is made again, as the same."""
    chain_start = models.PositiveSmallIntegerField(default=0)
    """How many of them were made before it was last replayed: retries are counted from there."""
    next_attempt_at = models.DateTimeField()
    """When an open delivery is due; of a finished one, when it last was."""
    lease_until = models.DateTimeField(null=True)
    """Until then the delivery belongs to the claim that wrote this instant, and to no other."""
    last_attempt_at = models.DateTimeField(null=True)
    last_response_code = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "webhook_id"], name="delivery_once_per_webhook"),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="delivery_due", condition=Q(status__in=OPEN)),
            models.Index(fields=["account", "-id"], name="delivery_log_of_account"),
            models.Index(fields=["subject_id", "-id"], name="delivery_log_of_subject"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}: {self.status}"


class Attempt(models.Model):
    """One HTTP try of a delivery. Without a `status_code` there was no answer, and `error_class` says why."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error_class = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    response_head = models.TextField(blank=True)
    """The first KiB of the answer's body, as text."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_once_per_number"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of delivery {self.delivery_id}"
