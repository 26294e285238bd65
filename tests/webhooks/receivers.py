"""Webhook receivers on 127.0.0.1: they keep the raw bytes they were sent, and answer as they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Event, Thread


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    path: str
    headers: Message
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Keeps each request, then lets the receiver's answer write to the connection."""

    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.put(Request(self.path, self.headers, body))
        self.server.answer(self)

    def log_message(self, format: str, *args: object) -> None:
        pass


Answer = Callable[[Handler], None]


class Receiver(ThreadingHTTPServer):
    """A server whose `requests` arrive in a queue."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.requests: Queue[Request] = Queue()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def handle_error(self, request: object, client_address: object) -> None:
        """A sender that went away, as it does at its deadline."""


def replies(code: int, body: bytes = b"", **headers: str) -> Answer:
    """A whole answer, at once."""

    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs(released: Event) -> Answer:
    """No answer until `released`, then 204."""

    def answer(handler: Handler) -> None:
        released.wait(60)
        replies(204)(handler)

    return answer


def drips(handler: Handler) -> None:
    """A 200 whose body never ends: a byte every 10 ms, so that no read ever times out."""
    handler.send_response(200)
    handler.end_headers()
    gone = Event()
    while not gone.wait(0.01):
        handler.wfile.write(b".")


@contextmanager
def receiver(answer: Answer) -> Iterator[Receiver]:
    """A receiver that listens while the block runs."""
    with Receiver(answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
