"""The agent: what is due goes to the engine, what that saw to the spool, and from there to the service."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from probes.agent.messages import KINDS, Check, Result
from probes.agent.sender import Sender
from probes.agent.service import Service
from probes.agent.spool import Spool
from probes.agent.timetable import Timetable
from probes.canary import Canaries, Canary
from probes.clock import now_ms
from probes.engine import Engine
from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.instants import from_unix_ms
from probes.messages import ProbeRequest, ProbeResult

logger = logging.getLogger("probes.agent")

REGION = "agent"
START_WITHIN_MS = 20_000
LONGEST_MESSAGE = 300
DRAIN_SECONDS = 5.0

Told = Sequence[Check]


class Agent:
    """Looks, keeps and sends until it is told to stop. `folder` holds what must outlive a restart."""

    def __init__(
        self, service: Service, folder: Path, policy: AddressPolicy, canaries: Sequence[Canary] = ()
    ) -> None:
        self._inbox: queue.SimpleQueue[ProbeResult | Told] = queue.SimpleQueue()
        self._timetable = Timetable()
        self._spool = Spool(folder / "spool")
        self._checks_file = folder / "checks.json"
        self._sender = Sender(service, self._spool, self._inbox.put)
        self._engine = Engine(REGION, policy, self._inbox.put, canaries=Canaries(canaries))

    def run(self, stopping: threading.Event) -> None:
        """Until `stopping` is set; what was seen by then is on disk, and sent by the next process."""
        self._timetable.adopt(self._remembered(), time.monotonic())
        self._engine.start()
        self._sender.start()
        while not stopping.is_set():
            self._engine.submit([_request(check) for check in self._timetable.due(time.monotonic())])
            self._take_in(self._timetable.seconds_to_next(time.monotonic()))
        self._engine.drain(DRAIN_SECONDS)
        self._take_in(0)
        self._engine.stop()
        self._sender.stop(DRAIN_SECONDS)

    def _take_in(self, timeout_seconds: float) -> None:
        """Wait for something to come in, and deal with all that has."""
        results = list[ProbeResult]()
        with suppress(queue.Empty):
            item = self._inbox.get(timeout=timeout_seconds)
            while True:
                if isinstance(item, ProbeResult):
                    results.append(item)
                else:
                    self._adopt(item)
                item = self._inbox.get_nowait()
        self._keep(results)

    def _keep(self, results: Sequence[ProbeResult]) -> None:
        if not results:
            return
        lines = [msgspec.json.encode(wire_result(result)) for result in results]
        try:
            self._spool.add(lines, now_ms())
        except OSError as error:
            logger.error("results.lost: they cannot be kept: %s", error, extra={"results": len(lines)})
        now = time.monotonic()
        news = [
            self._timetable.note(each.monitor_id, each.config_version, each.outcome, now) for each in results
        ]
        if any(news):
            self._sender.hurry()

    def _adopt(self, checks: Told) -> None:
        self._timetable.adopt(checks, time.monotonic())
        try:
            write_if_new(self._checks_file, msgspec.json.encode(checks))
        except OSError as error:
            logger.error("checks.unremembered: %s", error)

    def _remembered(self) -> Told:
        """What the process before was told: for a start while the service is away."""
        try:
            return msgspec.json.decode(self._checks_file.read_bytes(), type=list[Check])
        except (FileNotFoundError, msgspec.DecodeError):
            return []


def write_if_new(file: Path, content: bytes) -> None:
    """Let `file` hold `content`: all of it, or what it held before; raises `OSError`."""
    if file.exists() and file.read_bytes() == content:
        return
    fresh = file.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(file)


def wire_result(result: ProbeResult) -> Result:
    """What the engine saw, in the words of the contract, and more exactly in ours."""
    certificate, error_class = result.certificate, result.error_class
    days_left = (
        (from_unix_ms(certificate.chain_expires_at_ms) - from_unix_ms(result.started_at_ms)).days
        if certificate
        else None
    )
    return Result(
        check_id=result.monitor_id,
        ok=result.outcome == "up",
        status_code=result.status_code,
        latency_ms=round(result.total_ms, 1),
        body_matched=False if error_class == ErrorClass.BODY_MISMATCH else None,
        cert_days_left=days_left,
        error_kind=KINDS.get(ErrorClass[error_class.upper()]) if result.outcome == "down" else None,
        error_message=result.error[:LONGEST_MESSAGE] or None,
        error_class=error_class or None,
        checked_at_ms=result.scheduled_at_ms,
        config_version=result.config_version,
    )


def _request(check: Check) -> ProbeRequest:
    at_ms = now_ms()
    return ProbeRequest(
        monitor_id=check.id,
        config_version=check.config_version,
        scheduled_at_ms=at_ms,
        target=check.probe,
        timeout_ms=check.timeout_seconds * 1000,
        latency_warn_ms=check.latency_warn_ms,
        start_by_ms=at_ms + START_WITHIN_MS,
    )
