"""The core's Celery app, with three tasks more."""

from __future__ import annotations

from celery import current_app, shared_task

from config.celery import app
from probes import names
from tests.config.failing import fail_over

__all__ = ["app"]


@shared_task(name="tests.fail")
def fail(url: str, secret: str) -> None:
    fail_over(url, secret)


@shared_task(name="tests.first")
def first() -> None:
    current_app.send_task("tests.second", queue=names.CORE_QUEUE)


@shared_task(name="tests.second")
def second() -> None:
    """The end of it."""
