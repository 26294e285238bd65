"""A service that agents call, made of answers in a list; and the checks that it tells of."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from probes.agent.messages import Check, CheckConfig
from probes.messages import HttpTarget


class FakeService(ThreadingHTTPServer):
    """Answers as it is told, the last answer again and again, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, Any]] = [(200, {"uptime_checks": []})]
        self.received: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def results(self) -> list[dict[str, Any]]:
        return [result for body in self.received for result in body.get("uptime_results", [])]


class Handler(BaseHTTPRequestHandler):
    server: FakeService

    def do_POST(self) -> None:
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.keys.append(self.headers["X-Agent-Key"])
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if status == 302:
            self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests' output is theirs."""


@pytest.fixture
def service() -> Iterator[FakeService]:
    with FakeService() as running:
        yield running
        running.shutdown()


def check(id_: int = 4, url: str = "http://127.0.0.1:9/", **fields: Any) -> Check:
    values: dict[str, Any] = {
        "id": id_,
        "type": "http",
        "target": url,
        "timeout_seconds": 5,
        "config": CheckConfig(),
        "interval_seconds": 60,
        "config_version": 1,
        "probe": HttpTarget(url=url),
    }
    return Check(**(values | fields))
