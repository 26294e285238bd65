"""Requests over kept connections, several at once, and how long each took."""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.environment import Environment
from benchmarks.percentiles import percentiles
from benchmarks.usage import cpu_seconds

CONNECTIONS = 8


@dataclass(frozen=True)
class Request:
    """One request below /api/v1; `body` is sent as JSON."""

    method: str
    path: str
    body: dict[str, Any] | None = None


@dataclass(frozen=True)
class Load:
    """What a lot of requests took: rates are over all connections together."""

    per_s: float
    p95_ms: float
    cpu_ms: float
    """Of every process of ours for one request, PostgreSQL and Redis included."""


def run(environment: Environment, requests: Iterable[Request]) -> Load:
    """Send all of `requests`, `CONNECTIONS` at once; fail on an answer that is no success."""
    waiting: queue.SimpleQueue[Request] = queue.SimpleQueue()
    for request in requests:
        waiting.put(request)
    taken_ms: list[float] = []
    failures: list[str] = []
    key = (environment.folder / "api-key").read_text().strip()
    clients = [
        threading.Thread(target=_client, args=(environment.port, key, waiting, taken_ms, failures))
        for _ in range(CONNECTIONS)
    ]
    cpu_before, begin = cpu_seconds(environment.processes()), time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    seconds = time.monotonic() - begin
    assert not failures, failures[0]
    cpu_ms = (cpu_seconds(environment.processes()) - cpu_before) * 1000
    [p95_ms] = percentiles(taken_ms, 95)
    return Load(len(taken_ms) / seconds, p95_ms, cpu_ms / len(taken_ms))


def _client(
    port: int, key: str, waiting: queue.SimpleQueue[Request], taken_ms: list[float], failures: list[str]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    send = _sender(connection, {"Authorization": f"Bearer {key}"})
    while not failures:
        try:
            request = waiting.get_nowait()
        except queue.Empty:
            break
        begin = time.perf_counter()
        status, content = send(request)
        taken_ms.append((time.perf_counter() - begin) * 1000)
        if status >= 300:
            failures.append(f"{request.method} {request.path}: {status} {content[:200]!r}")
    connection.close()


def _sender(
    connection: http.client.HTTPConnection, headers: dict[str, str]
) -> Callable[[Request], tuple[int, bytes]]:
    def send(request: Request) -> tuple[int, bytes]:
        body = None if request.body is None else json.dumps(request.body)
        connection.request(request.method, f"/api/v1{request.path}", body, headers)
        response = connection.getresponse()
        return response.status, response.read()

    return send
