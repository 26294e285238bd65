"""Sends results home in batches, from a thread of its own: a slow broker holds up no probe."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from kombu.exceptions import OperationalError

from probes.messages import ProbeResult, Results

logger = logging.getLogger(__name__)

BATCH_SIZE = 1_000
LINGER_SECONDS = 0.5
"""A message costs the core about as much as ten results in it."""
FAILURE_LINGER_SECONDS = 0.1
"""Others are to look at once at what may have just gone down."""
MAX_BUFFERED = 50_000
NEVER = float("inf")


class Reporter:
    """Hands `publish` what `add` collected: at once if a round waits for it, else after a linger.

    Until evidence is stored the path is at-most-once: what cannot be published, or kept, is lost. That
    is logged with its count, and the checks are claimed again when their lease runs out.
    """

    def __init__(self, region: str, publish: Callable[[Results], None]) -> None:
        self._region = region
        self._publish = publish
        self._buffer: list[ProbeResult] = []
        self._due_at = NEVER
        self._dropped = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def add(self, result: ProbeResult) -> None:
        """Takes a result, and returns at once. Any thread may call it."""
        with self._changed:
            if len(self._buffer) >= MAX_BUFFERED:
                self._dropped += 1
                return
            self._buffer.append(result)
            linger = _linger_seconds(result)
            if linger == LINGER_SECONDS and 1 < len(self._buffer) < BATCH_SIZE:
                return  # as those before it, whose time comes first
            due_at = time.monotonic() + linger
            if due_at < self._due_at or len(self._buffer) == BATCH_SIZE:
                self._due_at = min(due_at, self._due_at)
                self._changed.notify()

    def close(self, timeout_seconds: float) -> None:
        """Publishes what is left, for at most that long."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while results := self._next_batch():
            self._send(results)

    def _next_batch(self) -> list[ProbeResult]:
        """Waits for results that are due; empty when closing and there is nothing left."""
        with self._changed:
            while not self._is_due():
                self._changed.wait(self._due_at - time.monotonic() if self._buffer else None)
            batch, self._buffer = self._buffer[:BATCH_SIZE], self._buffer[BATCH_SIZE:]
            if not self._buffer:
                self._due_at = NEVER
            if self._dropped:
                logger.error("results.lost: the buffer was full", extra={"results": self._dropped})
                self._dropped = 0
            return batch

    def _is_due(self) -> bool:
        return self._is_closing or len(self._buffer) >= BATCH_SIZE or self._due_at <= time.monotonic()

    def _send(self, results: list[ProbeResult]) -> None:
        try:
            self._publish(Results(region=self._region, results=results))
        except OperationalError as error:
            logger.error("results.lost: the broker is away: %s", error, extra={"results": len(results)})
        except Exception:
            logger.exception("results.lost: publishing failed", extra={"results": len(results)})


def _linger_seconds(result: ProbeResult) -> float:
    """How long a result may wait for others to go home with it."""
    if result.round_id is not None or result.outcome == "slow":
        return 0.0
    return FAILURE_LINGER_SECONDS if result.outcome == "down" else LINGER_SECONDS
