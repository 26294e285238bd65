"""The Celery app of the core, whose delivery task asks the clock that skips: `celery --app=…`."""

from __future__ import annotations

from types import SimpleNamespace

import django
from celery.signals import import_modules

from benchmarks.deliveries import clock
from config.celery import app

__all__ = ["app"]


@import_modules.connect(weak=False)
def take_the_clock(**_: object) -> None:
    """The task alone asks the time; the steps are given it."""
    django.setup()
    from webhooks import tasks

    tasks.timezone = SimpleNamespace(now=clock.now)  # type: ignore[assignment, attr-defined]
