"""The Celery app of the core: beat and the core workers. Regional workers have their own, in `probes`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals

from config.watch import Watch
from probes import collector, liveness, logs, names, telemetry
from probes.telemetry import tasks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("upquorum")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.task_postrun.connect
def note_life(**_: object) -> None:
    """A worker that ended a task consumes; beat sends each queue one a second."""
    liveness.note()


@signals.setup_logging.connect
def set_up_logging(**_: object) -> None:
    """As all our processes log; Celery's own setup would add handlers."""
    logs.set_up()


@signals.celeryd_init.connect
def set_up_worker(options: dict[str, Any], **_: object) -> None:
    """A worker starts; by its queues it is known."""
    set_up_telemetry("delivery" if options.get("queues") == [names.DELIVERY_QUEUE] else "core")


@signals.worker_ready.connect
def keep_what_was_loaded(**_: object) -> None:
    """The garbage collector need not look through Django with every few thousand checks."""
    collector.spare()


@signals.celeryd_after_setup.connect
def watch(**_: object) -> None:
    """A worker knows its queues, and does not consume yet."""
    Watch(app)


@signals.beat_init.connect
def set_up_beat(**_: object) -> None:
    """Beat starts."""
    set_up_telemetry("beat")


def set_up_telemetry(process: str) -> None:
    """What the settings have checked: an exception in here would be Celery's to swallow."""
    telemetry.set_up(process)
    tasks.connect()
