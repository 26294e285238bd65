"""The delivery tasks. Only here is the clock asked."""

from __future__ import annotations

from threading import Event, Lock

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from webhooks import deliveries, retention

DELIVER_DUE = "webhooks.deliver_due"
HINT_EXPIRES_SECONDS = 5


_running = Lock()
_stopping = Event()


@shared_task(name=DELIVER_DUE, acks_late=True)
def deliver_due() -> int:
    """Every second, and when something was published: deliver what is due; return the number of attempts.

    A process has one run at a time, which soon sees what became due: slow receivers cost it one thread.
    """
    if not _running.acquire(blocking=False):
        return 0
    try:
        return deliveries.deliver_due(timezone.now, _stopping)
    finally:
        _running.release()


@shared_task(name="webhooks.forget_old")
def forget_old() -> None:
    """Hourly: drop events and deliveries past their retention."""
    retention.forget_old(timezone.now())


@worker_shutting_down.connect
def stop(**_: object) -> None:
    """The run under way claims no more, so that its worker can end."""
    _stopping.set()


def deliver_soon() -> None:
    """Ask for a run now, not at the next beat; without a broker, raises `kombu.exceptions.KombuError`."""
    deliver_due.apply_async(expires=HINT_EXPIRES_SECONDS, retry=False)
