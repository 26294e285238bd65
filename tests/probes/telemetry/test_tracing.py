"""Spans of work that fails, and of what is asked of others; without a collector."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from probes.telemetry import tracing


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The spans that have ended, where tracing is on."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("tests"))
    yield exporter
    provider.shutdown()


def test_of_an_exception_its_type_is_told_and_no_text(ended: InMemorySpanExporter) -> None:
    with pytest.raises(LookupError), tracing.outgoing("POST /x", {}):
        raise LookupError("hunter2")
    (span,) = ended.get_finished_spans()
    assert (span.status.is_ok, span.attributes) == (False, {"error.type": "LookupError"})
    assert "hunter2" not in span.to_json()


def test_what_is_asked_of_others_belongs_to_the_span_around_it(ended: InMemorySpanExporter) -> None:
    headers: dict[str, str] = {}
    with tracing.span("outer", "SERVER") as outer, tracing.outgoing("inner", headers):
        pass
    inner = ended.get_finished_spans()[0]
    assert inner.parent == outer.get_span_context()
    assert f"-{inner.context.span_id:016x}-" in headers["traceparent"]


def test_where_it_is_off_headers_stay_as_they_are() -> None:
    headers: dict[str, str] = {}
    with tracing.outgoing("inner", headers):
        pass
    assert headers == {}


def test_after_a_span_nothing_is_current_any_more(ended: InMemorySpanExporter) -> None:
    with tracing.span("done", "CONSUMER"):
        pass
    headers: dict[str, str] = {}
    tracing.inject(headers)
    assert headers == {}
