"""A scripted server on a real socket: it counts connections, and keeps the requests."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType

Script = Callable[[socket.socket, bytes], None]
"""Answers one connection, given the head (and what followed it at once) of its request."""


def response(status: int = 200, body: bytes = b"ok", *headers: str) -> bytes:
    """The bytes of a whole HTTP response."""
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer(data: bytes) -> Script:
    """A script that sends `data` and closes."""
    return lambda connection, _: connection.sendall(data)


class Listener:
    """Serves `script` on `host` until the test ends; each connection in its own thread.

    `stopping` is set at the end, so that a script can hang without a sleep.
    """

    def __init__(self, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.script: Script = answer(response())
        self.requests: list[bytes] = []
        self.stopping = threading.Event()
        self._context = context
        self._peers: list[object] = []
        self._own: list[object] = []
        self._accepted = threading.Condition()
        self._socket = socket.create_server((host, 0), backlog=512)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://{self.host}:{self.port}"

    def count(self) -> int:
        """How many connections came in. Its own one queues behind them, so none is missed."""
        with socket.create_connection((self.host, self.port)) as own, self._accepted:
            self._own.append(own.getsockname())
            self._accepted.wait_for(lambda: self._own[-1] in self._peers, 5)
        return len(self._peers) - len(self._own)

    def hang(self, _connection: socket.socket, _request: bytes) -> None:
        """A script that never answers."""
        self.stopping.wait()

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.stopping.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, peer = self._socket.accept()
            except OSError:  # shut down
                return
            with self._accepted:
                self._peers.append(peer)
                self._accepted.notify_all()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self._context:
                    connection = self._context.wrap_socket(connection, server_side=True)
                request = connection.recv(65536)
                if request:
                    self.requests.append(request)
                    self.script(connection, request)
            except OSError:  # the client left, as many tests want it to
                return
            finally:
                connection.close()
