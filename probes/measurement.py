"""What one look at a target measured, before it becomes the result of a request."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import msgspec

from probes.errors import ErrorClass
from probes.messages import Certificate


class Timings(msgspec.Struct, frozen=True, gc=False):
    """Where the time went, each phase by itself. None: the phase was not reached, or there is none."""

    total_ms: float = 0.0
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    ttfb_ms: float | None = None
    download_ms: float | None = None

    def __add__(self, other: Timings) -> Timings:
        """Phase by phase, as over the hops of a redirect."""
        return Timings(
            total_ms=self.total_ms + other.total_ms,
            dns_ms=_plus(self.dns_ms, other.dns_ms),
            connect_ms=_plus(self.connect_ms, other.connect_ms),
            tls_ms=_plus(self.tls_ms, other.tls_ms),
            ttfb_ms=_plus(self.ttfb_ms, other.ttfb_ms),
            download_ms=_plus(self.download_ms, other.download_ms),
        )


def _plus(left: float | None, right: float | None) -> float | None:
    return (left or 0.0) + (right or 0.0) if (left, right) != (None, None) else None


NO_TIMINGS = Timings()


class Measurement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`error_class` is None when all went as it should, and then `error` is empty."""

    error_class: ErrorClass | None = None
    error: str = ""
    status_code: int | None = None
    address: str = ""
    """The numeric address that was last connected to, or tried."""
    timings: Timings = NO_TIMINGS
    certificate: Certificate | None = None


Measure = Callable[[], Awaitable[Measurement]]


def ms_since(started: float) -> float:
    """Milliseconds since `started`, an instant of `time.monotonic`."""
    return round((time.monotonic() - started) * 1000, 3)


def unresolved(error_class: ErrorClass, error: str, dns_ms: float) -> Measurement:
    """Of a probe that got no further than the name."""
    timings = Timings(total_ms=dns_ms, dns_ms=dns_ms)
    return Measurement(error_class=error_class, error=error, timings=timings)
