"""One probe, from a request to its result."""

from __future__ import annotations

import logging
import time

import msgspec
from msgspec.structs import replace

from probes.canary import Canaries
from probes.clock import now_ms
from probes.errors import ErrorClass
from probes.measurement import Measure, Measurement, Timings
from probes.messages import ProbeRequest, ProbeResult
from probes.resolver import ip_version_of

logger = logging.getLogger(__name__)

FROZEN_MS = 1_000
"""A deadline missed by more is not the target's doing."""


class Begun(msgspec.Struct, frozen=True, gc=False):
    """A probe that has begun."""

    request: ProbeRequest
    region: str
    at_ms: int
    at: float
    """By `time.monotonic`."""


def begin(request: ProbeRequest, region: str) -> Begun:
    """The probe that begins now."""
    return Begun(request, region, now_ms(), time.monotonic())


def conclude(begun: Begun, measured: Measurement) -> ProbeResult:
    """The result of a probe, as it was measured."""
    return result(
        begun.request, begun.region, begun.at_ms, _warned_of_latency(measured, begun.request.latency_warn_ms)
    )


async def probe(begun: Begun, measure: Measure, canaries: Canaries) -> ProbeResult:
    """The result of a probe, whatever happens: an exception is an `error` of this one request."""
    try:
        measured = _unless_frozen(await measure(), begun)
        if measured.error_class:
            measured = await canaries.review(measured, begun.at)
    except Exception as error:
        logger.exception("probe.failed", extra={"monitor": begun.request.monitor_id, "region": begun.region})
        measured = Measurement(error_class=ErrorClass.INTERNAL, error=type(error).__name__)
    return conclude(begun, measured)


def _unless_frozen(measured: Measurement, begun: Begun) -> Measurement:
    """`measured`, but no failure of a target is what was seen by a process that stood still meanwhile.

    Every probe keeps its deadline; one that ends long after it was stopped, or starved, with its process.
    """
    late_ms = (time.monotonic() - begun.at) * 1000 - begun.request.timeout_ms
    if measured.error_class is None or late_ms < FROZEN_MS:
        return measured
    error = f"the worker stood still; it saw {measured.error_class}: {measured.error}"
    return Measurement(error_class=ErrorClass.INTERNAL, error=error, timings=measured.timings)


def _warned_of_latency(measured: Measurement, warn_ms: int | None) -> Measurement:
    """`measured`, marked if all is well but for the time that it took."""
    total_ms = measured.timings.total_ms
    if warn_ms is None or measured.error_class is not None or total_ms <= warn_ms:
        return measured
    error = f"{total_ms:.0f} ms, to be warned of from {warn_ms} ms"
    return replace(measured, error_class=ErrorClass.LATENCY_WARNING, error=error)


def suspicion(request: ProbeRequest, region: str) -> ProbeResult:
    """Word of a probe that is taking long. Its answer follows."""
    slow = Measurement(timings=Timings(total_ms=float(request.suspect_after_ms or 0)))
    return replace(result(request, region, now_ms(), slow), outcome="slow")


def not_run(request: ProbeRequest, region: str, error_class: ErrorClass, why: str) -> ProbeResult:
    """The result of a request that was given up."""
    return result(request, region, now_ms(), Measurement(error_class=error_class, error=why))


def result(request: ProbeRequest, region: str, started_at_ms: int, measured: Measurement) -> ProbeResult:
    """`measured` as evidence: with the identity of its request, and its outcome."""
    timings = measured.timings
    return ProbeResult(
        monitor_id=request.monitor_id,
        config_version=request.config_version,
        scheduled_at_ms=request.scheduled_at_ms,
        round_id=request.round_id,
        attempt=request.attempt,
        region=region,
        outcome=measured.error_class.outcome if measured.error_class else "up",
        started_at_ms=started_at_ms,
        total_ms=timings.total_ms,
        error_class=measured.error_class or "",
        error=measured.error,
        status_code=measured.status_code,
        address=measured.address,
        family=ip_version_of(measured.address) if measured.address else None,
        dns_ms=timings.dns_ms,
        connect_ms=timings.connect_ms,
        tls_ms=timings.tls_ms,
        ttfb_ms=timings.ttfb_ms,
        download_ms=timings.download_ms,
        certificate=measured.certificate,
    )
