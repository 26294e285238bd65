"""A job's ping: what it asks for, and the way past Django for those that are taken.

Middleware, routing, and a pooled connection that is checked each time cost more than the ping itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import Error, connection
from django.utils import timezone

from api.heartbeat import PATH
from incidents.heartbeats import settle_ping
from monitors.heartbeats import UnknownToken, WrongSecret, note_ping, note_start
from probes.errors import ErrorClass, Fault

METHODS = ("GET", "HEAD", "POST")
LARGEST_STATUS = 255
BODY = b'{"ok": true}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


class PingsFirst:
    """WSGI: answers a ping that is taken. Any other request is Django's, as is the refusal of a ping.

    A thread keeps its connection for the next ping, until Django takes it over with another request.
    """

    def __init__(self, django: Any) -> None:
        self.django = django

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if not self._takes(environ):
            return self.django(environ, start_response)
        start_response("200 OK", HEADERS.copy())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [BODY]

    def _takes(self, environ: dict[str, Any]) -> bool:
        path: str = environ["PATH_INFO"]
        if not path.startswith(PATH) or environ["REQUEST_METHOD"] not in METHODS:
            return False
        token, _, signal = path.removeprefix(PATH).partition("/")
        if not is_signal(signal):
            return False
        try:
            heed(token, signal, secret_in(environ), timezone.now())
        except (UnknownToken, WrongSecret):
            return False
        except Error:  # maybe of a connection that the database closed: Django gets a fresh one
            connection.close()
            return False
        return True


def is_signal(text: str) -> bool:
    """Whether `text` is what may follow the token: nothing, start, fail, or an exit status."""
    return text in ("", "start", "fail") or is_exit_status(text)


def is_exit_status(text: str) -> bool:
    """Whether `text` is a whole number from 0 to 255."""
    return text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= LARGEST_STATUS


def heed(token: str, signal: str, secret: str, now: datetime) -> None:
    """Do what a ping asks for; all of it is committed when this returns.

    Raises `UnknownToken` and `WrongSecret`.
    """
    if signal == "start":
        note_start(token, secret, now)
        return
    ping = note_ping(token, secret, fault_of(signal), now)
    if not ping.is_quiet:
        settle_ping(ping)


def fault_of(signal: str) -> Fault | None:
    """What the job says went wrong."""
    if signal == "fail":
        return Fault(ErrorClass.REPORTED_FAILURE, "the job reported a failure")
    if signal and int(signal):
        return Fault(ErrorClass.REPORTED_FAILURE, f"exit status {int(signal)}")
    return None


def secret_in(meta: dict[str, Any]) -> str:
    """The header's text: WSGI hands its bytes on as Latin-1, and clients send UTF-8."""
    header: str = meta.get("HTTP_X_SECRET", "")
    return header.encode("latin-1", "replace").decode(errors="replace")
