"""Sends what the agent saw, in a thread of its own: a service that is slow or away delays no look."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence

from probes.agent.messages import Check
from probes.agent.service import Away, Refused, Service, checks_in
from probes.agent.spool import Spool

logger = logging.getLogger("probes.agent")

SPACING_SECONDS = 1.0
"""At least this much lies between two heartbeats, whatever the news."""
LONGEST_BACKOFF_SECONDS = 60.0
POISONED = (400, 413)
"""Refusals of just what was sent: sent again it would be refused again."""


class Sender:
    """A heartbeat every so often, and sooner for news. `on_checks` is called in its thread."""

    def __init__(self, service: Service, spool: Spool, on_checks: Callable[[Sequence[Check]], None]) -> None:
        self._service, self._spool, self._on_checks = service, spool, on_checks
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def start(self) -> None:
        """Sends the first heartbeat at once."""
        self._thread.start()

    def hurry(self) -> None:
        """There is news: send it now, unless the service asked for time or is away."""
        self._news.set()

    def stop(self, timeout_seconds: float) -> None:
        """Ends the thread; what is under way may end in time, or is sent again by the next process."""
        self._stopping.set()
        self._news.set()
        self._thread.join(timeout_seconds)

    def beat(self) -> tuple[float, float]:
        """One heartbeat; how long to wait then at least, and how long if there is no news."""
        self._news.clear()
        try:
            parcel = self._spool.take()
            answer = self._service.heartbeat(parcel.results)
        except Away as error:
            return self._back_off(f"the service is away: {error}")
        except OSError as error:
            return self._back_off(f"what was seen cannot be read: {error}")
        except Refused as error:
            if error.status in POISONED:
                self._spool.forget(parcel)
                logger.error("results.refused: they are dropped", extra={"results": len(parcel.results)})
            return self._back_off(f"the service refuses: {error}")
        self._on_checks(checks_in(answer))
        if answer.retry_after is not None:
            return float(answer.retry_after), float(answer.retry_after)
        self._spool.forget(parcel)
        self._failures = 0
        quiet = SPACING_SECONDS if not self._spool.is_empty() else float(answer.heartbeat_seconds)
        return SPACING_SECONDS, max(quiet, SPACING_SECONDS)

    def _back_off(self, why: str) -> tuple[float, float]:
        logger.warning("agent.waits: %s", why)
        longest = min(LONGEST_BACKOFF_SECONDS, 2.0**self._failures)
        self._failures += 1
        # A fleet that lost its service together must not come back together.
        seconds = longest * random.uniform(0.5, 1.0)
        return seconds, seconds

    def _run(self) -> None:
        while not self._stopping.is_set():
            least, most = self.beat()
            if not self._stopping.wait(least):
                self._news.wait(most - least)
