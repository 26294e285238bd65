"""A Sentry and an OTLP collector on a real socket: keeps what is sent to it."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Item = TypeVar("Item")


@dataclass(frozen=True)
class Span:
    """What is tested of a span; `about` is of itself, `of` of the process that sent it."""

    name: str
    kind: int
    id: bytes
    trace: bytes
    parent: bytes
    failed: bool
    about: dict[str, Any]
    of: dict[str, Any]


@dataclass
class Collector:
    """What was sent, as it came and read. Anything else that is asked for is answered with `{}`."""

    bodies: list[bytes] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    others: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Collector:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"collector": self}))
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.05])
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """One request."""
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        with self.came:
            if path.endswith("/envelope/"):
                self.events += events_in(body)
            elif path == "/v1/traces":
                self.spans += spans_in(body)
            else:
                self.others.append((path, headers))
                body = b""
            self.bodies.append(body)
            self.came.notify_all()

    def event(self, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that matches, when it has come."""
        return self._first(self.events, matches)

    def span(self, name: str, *, failed: bool | None = None) -> Span:
        """The first span of this name, when it has come; if asked for, one that failed or did not."""
        return self._first(self.spans, lambda span: span.name == name and failed in (None, span.failed))

    def variables(self) -> dict[str, str]:
        """What has a process send everything here, and soon."""
        return variables(self.address) | {"OTEL_BSP_SCHEDULE_DELAY": "20"}

    def saw(self, *secrets: str) -> list[str]:
        """Which of these came in."""
        return [secret for secret in secrets if any(secret.encode() in body for body in self.bodies)]

    def _first(self, items: list[Item], matches: Callable[[Item], bool]) -> Item:
        with self.came:
            assert self.came.wait_for(lambda: any(map(matches, items)), 15), items
            return next(filter(matches, items))


def variables(address: str) -> dict[str, str]:
    """What has a process send everything to an address, and the rest as compose has it, unset."""
    blank = ("SENTRY_ENVIRONMENT", "SENTRY_RELEASE", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES")
    return dict.fromkeys(blank, "") | {
        "UPQUORUM_SENTRY_DSN": f"http://public@{address}/1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}",
    }


class Handler(BaseHTTPRequestHandler):
    collector: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.collector.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


def events_in(envelope: bytes) -> Iterator[dict[str, Any]]:
    """The events of an envelope: a line of its own, and then for each item a line about it and the item."""
    lines = envelope.splitlines()[1:]
    for about, item in zip(lines[::2], lines[1::2], strict=True):
        if json.loads(about)["type"] == "event":
            yield json.loads(item)


def spans_in(body: bytes) -> Iterator[Span]:
    """The spans of a post to an OTLP collector."""
    request = ExportTraceServiceRequest.FromString(body)
    for sender in request.resource_spans:
        for scope in sender.scope_spans:
            for span in scope.spans:
                yield Span(
                    name=span.name,
                    kind=span.kind,
                    id=span.span_id,
                    trace=span.trace_id,
                    parent=span.parent_span_id,
                    failed=span.status.code == span.status.STATUS_CODE_ERROR,
                    about=_attributes(span.attributes),
                    of=_attributes(sender.resource.attributes),
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
