"""The core's workers watch themselves as the regional ones do: each by echoes through the broker.

One that is connected and takes no task any more ends, and its manager starts it again.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from celery import Celery, signals

from probes import broker, names
from probes.heartbeat import ECHO_EXPIRES_SECONDS, ECHO_QUEUE_EXPIRES_SECONDS, Heartbeat

ECHO = "config.echo"


class Watch:
    """Of one worker process, from when it is ready until it is told to stop."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._queue = names.echo_queue("core", f"{socket.gethostname()}-{os.getpid()}")
        self._heartbeat = Heartbeat(self._send_echo)
        app.task(name=ECHO, ignore_result=True)(self._heartbeat.answered)
        app.amqp.queues.select_add(broker.queue(self._queue, ECHO_QUEUE_EXPIRES_SECONDS))
        signals.worker_ready.connect(self._begin, weak=False)
        signals.worker_shutting_down.connect(self._end, weak=False)

    def _send_echo(self) -> None:
        self._app.send_task(ECHO, queue=self._queue, expires=ECHO_EXPIRES_SECONDS, retry=False)

    def _begin(self, **_: Any) -> None:
        self._heartbeat.start()

    def _end(self, **_: Any) -> None:
        """What a worker that stops has still to do may take longer than an echo."""
        self._heartbeat.stop()
