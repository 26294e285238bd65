"""A local service that can be broken and mended, and a receiver that keeps what webhooks bring."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Received:
    """One webhook request, as it came."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers = headers
        self.body = body
        self.event: dict[str, Any] = json.loads(body)


class Service(ThreadingHTTPServer):
    """Answers GET with `status`, and keeps its path; keeps what is POSTed."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.received: list[Received] = []
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def events_of(self, monitor_id: int) -> list[dict[str, Any]]:
        return [each.event for each in self.received if each.event["monitor_id"] == monitor_id]


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self._answer(self.server.status)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(Received(dict(self.headers), body))
        self._answer(204)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests' output is theirs."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Port:
    """A TCP port that can be closed and opened again."""

    def __init__(self) -> None:
        self._listener: socket.socket | None = None
        self.number = 0
        self.open()

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.number), backlog=100)
        self.number = self._listener.getsockname()[1]

    def close(self) -> None:
        assert self._listener
        self._listener.close()
