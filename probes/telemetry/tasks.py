"""A span for each message that a Celery worker works on; traces travel in the messages' headers.

OpenTelemetry's own instrumentation of Celery never ends what it began for a message that could not be
published, while a broker is away, and it sends the texts of exceptions.
"""

from __future__ import annotations

from typing import Any

from celery import signals

from probes.telemetry import tracing


def connect() -> None:
    """From now on, where there are traces; else nothing is done to Celery."""
    if tracing.is_on():
        signals.before_task_publish.connect(hand_on)
        signals.task_prerun.connect(begin)
        signals.task_postrun.connect(end)


def hand_on(headers: dict[str, str], **_: object) -> None:
    """A message leaves: it belongs to the trace of what sends it."""
    tracing.inject(headers)


def begin(task: Any, **_: object) -> None:
    """A task begins, in the trace of its message."""
    entered = tracing.span(task.name, "CONSUMER", task.request)
    span = entered.__enter__()
    span.set_attributes(
        {
            "messaging.system": "celery",
            "messaging.destination.name": task.request.delivery_info["routing_key"],
            "messaging.message.id": task.request.id,
        }
    )
    task.request.traced = (entered, span)


def end(task: Any, state: str, retval: object, **_: object) -> None:
    """A task has ended; in failure, `retval` is the exception."""
    entered, span = task.request.traced
    if state == "FAILURE":
        tracing.fail(span, type(retval).__qualname__)
    entered.__exit__(None, None, None)
