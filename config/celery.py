"""The Celery app of the core: beat and the core workers. Regional workers have their own, in `probes`."""

from __future__ import annotations

import os

from celery import Celery, signals

from probes import liveness, logs

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
