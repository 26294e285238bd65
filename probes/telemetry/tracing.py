"""Traces by OpenTelemetry: the one place that knows its library.

The library reads its standard variables by itself; of these, the endpoint is our switch. A span is begun for
a request and for a message, never for a probe. It holds no address, no header and no text of an exception.
There are no metrics here: those are Prometheus'.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from probes import VERSION, env

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import Span, Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
CLOSE_SECONDS = 1.0

_tracer: Tracer | None = None
_waiting: BatchSpanProcessor | None = None


def check() -> None:
    """Raises `BadSetting` for a protocol that we do not speak, or without the package."""
    if not (variable := _first_set(ENDPOINTS)):
        return
    protocol = _first_set(PROTOCOLS)
    if protocol and os.environ[protocol] != PROTOCOL:
        raise env.BadSetting(f"{protocol} must be {PROTOCOL}, not {os.environ[protocol]!r}")
    env.require("opentelemetry.exporter.otlp.proto.http.trace_exporter", variable)


def set_up(process: str, region: str) -> None:
    """Sends spans from now on, where there is an endpoint."""
    global _tracer, _waiting
    if not _first_set(ENDPOINTS):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=_resource(process, region), shutdown_on_exit=False)
    _waiting = BatchSpanProcessor(OTLPSpanExporter())
    provider.add_span_processor(_waiting)
    _tracer = provider.get_tracer("upquorum", VERSION)
    atexit.register(close)


def is_on() -> bool:
    """Whether this process sends spans."""
    return _tracer is not None


def close() -> None:
    """Send what waits, for a second at most."""
    if _waiting is not None:
        # What is public has no timeout but its own of 30 s.
        _waiting._batch_processor.shutdown(timeout_millis=int(CLOSE_SECONDS * 1000))


@contextmanager
def span(name: str, kind: str, carrier: Any = None) -> Iterator[Span]:
    """A span around a piece of work: in the trace that `carrier` (headers) tells of, if it does.

    Without one, in the trace that is current. `kind` is one of OpenTelemetry's. Only where `is_on`.
    """
    from opentelemetry import propagate
    from opentelemetry.trace import SpanKind

    assert _tracer is not None  # noqa: S101
    options: Any = {"record_exception": False, "set_status_on_exception": False}  # they send its text
    parent = None if carrier is None else propagate.extract(carrier)
    with _tracer.start_as_current_span(name, parent, SpanKind[kind], **options) as begun:
        try:
            yield begun
        except Exception as error:
            fail(begun, type(error).__qualname__)
            raise


def fail(failed: Span, why: str) -> None:
    """Mark a span as failed; `why` is of a small set of words."""
    from opentelemetry.trace import StatusCode

    failed.set_status(StatusCode.ERROR)
    failed.set_attribute("error.type", why)


def inject(headers: MutableMapping[str, str]) -> None:
    """Let who reads `headers` go on with the current trace, if there is one."""
    from opentelemetry import propagate

    propagate.inject(headers)


@contextmanager
def outgoing(name: str, headers: MutableMapping[str, str]) -> Iterator[None]:
    """A span around a request of ours, which takes the trace along in `headers`; where off, nothing."""
    if not is_on():
        yield
        return
    with span(name, "CLIENT"):
        inject(headers)
        yield


def _first_set(variables: tuple[str, ...]) -> str:
    return next((name for name in variables if os.environ.get(name)), "")


def _resource(process: str, region: str) -> Resource:
    """Who sends: what the operator says of it comes first."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    ours = {
        "service.name": f"upquorum-{process}",
        "service.namespace": "upquorum",
        "service.version": VERSION,
        "service.instance.id": f"{os.uname().nodename}-{os.getpid()}",
    } | ({"upquorum.region": region} if region else {})
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})
