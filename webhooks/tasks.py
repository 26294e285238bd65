"""The delivery tasks. Only here is the clock asked."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from webhooks import deliveries

DELIVER_DUE = "webhooks.deliver_due"
HINT_EXPIRES_SECONDS = 5


@shared_task(name=DELIVER_DUE, acks_late=True)
def deliver_due() -> int:
    """Every second, and when something was published: deliver what is due; return the number of attempts."""
    return deliveries.deliver_due(timezone.now)


def deliver_soon() -> None:
    """Ask for a delivery run now instead of at the next beat. One try: the beat comes anyway."""
    deliver_due.apply_async(expires=HINT_EXPIRES_SECONDS, retry=False)
