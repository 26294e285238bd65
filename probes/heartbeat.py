"""Proof that a worker consumes, and the end of one that does not.

A worker can be connected, look alive and take no message any more. So it does not report by itself that
it lives: it sends itself an echo through the broker, and only an echo that it consumes makes a beat.
When echoes go out but none comes back, the process ends, and its manager starts it again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import NoReturn

from kombu.exceptions import OperationalError

from probes import telemetry

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 5.0
MAX_UNANSWERED = 12
ECHO_EXPIRES_SECONDS = 15
ECHO_QUEUE_EXPIRES_SECONDS = 300
EXIT_DEAF = 70
"""EX_SOFTWARE of sysexits.h."""


def end(status: int) -> NoReturn:
    """Ends the process at once: a name lookup that hangs in its thread must not hold it up."""
    telemetry.close()
    logging.shutdown()
    os._exit(status)


class Heartbeat:
    """Calls `send_echo` every period, from a thread. Whoever consumes the echo calls `answered`.

    `send_echo` raises `OperationalError` when the broker is away; that is not the worker's deafness. Whatever
    else it raises is logged, and its echo counts as unanswered: the watch goes on.
    """

    def __init__(self, send_echo: Callable[[], None], *, die: Callable[[int], object] = end) -> None:
        self._send_echo = send_echo
        self._die = die
        self._unanswered = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Starts the thread; the first echo goes out at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, and the watch."""
        self._stopping.set()

    def answered(self) -> None:
        """An echo came back: this worker consumes."""
        self._unanswered = 0

    def beat(self) -> None:
        """Sends one echo, or ends the process if none of the last ones came back."""
        if self._unanswered >= MAX_UNANSWERED:
            logger.critical("worker.deaf: it consumed no echo, and ends", extra={"echoes": self._unanswered})
            self._die(EXIT_DEAF)
        self._unanswered += 1
        try:
            self._send_echo()
        except OperationalError as error:
            self._unanswered = 0
            logger.warning("broker.away: %s", error)
        except Exception:
            logger.exception("worker.echo_failed")

    def _run(self) -> None:
        self.beat()
        while not self._stopping.wait(PERIOD_SECONDS):
            self.beat()
