"""What is over is forgotten after a while: finished deliveries, events, and secrets that no longer sign."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from webhooks.models import OPEN, Delivery, Event, Webhook

RETENTION = timedelta(days=30)


def forget_old(now: datetime) -> None:
    """Drop what ended before `RETENTION`. What is still to be delivered stays, with its event."""
    horizon = now - RETENTION
    Delivery.objects.exclude(status__in=OPEN).filter(next_attempt_at__lt=horizon).delete()
    delivered = Delivery.objects.filter(event=OuterRef("pk"))
    Event.objects.filter(~Exists(delivered), created_at__lt=horizon).delete()
    overdue = Webhook.objects.filter(previous_secret_until__lte=now)
    overdue.update(previous_secret="", previous_secret_until=None)
