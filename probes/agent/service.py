"""The way out: the two calls that an agent makes, over HTTPS."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
import requests

from probes import VERSION
from probes.agent.messages import Answer, Check, Enrolment, Heartbeat
from probes.telemetry import tracing

logger = logging.getLogger("probes.agent")

TIMEOUT_SECONDS = (10, 30)
"""To connect, and between two bytes of the answer."""
TOO_MANY = 429


Message = TypeVar("Message", Answer, Enrolment)


class BadService(ValueError):
    """A URL that keys and results must not be sent to."""


class Away(Exception):
    """The service did not answer, or not as itself. What was sent may have been taken."""


class Refused(Exception):
    """The service answered, and will not take this."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class Service:
    """The service at a URL, for one agent. No redirect is followed: it would take the key elsewhere."""

    def __init__(self, url: str, key: str = "", *, is_insecure: bool = False) -> None:
        _refuse_bad_url(url, is_insecure)
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"Upquorum-agent/{VERSION}"
        if key:
            self._session.headers["X-Agent-Key"] = key

    def enrol(self, token: str) -> Enrolment:
        """Change a token for a key; raises `Away` and `Refused`."""
        status, body = self._post("/agent/enrol", msgspec.json.encode({"token": token}))
        return _decoded(_granted(status, body), Enrolment)

    def heartbeat(self, results: Sequence[bytes]) -> Answer:
        """Say what was seen, and be told what to look at; also where it comes too often. Raises as above."""
        heartbeat = Heartbeat(
            hostname=socket.gethostname(),
            agent_version=VERSION,
            uptime_results=[msgspec.Raw(result) for result in results],
        )
        status, body = self._post("/agent/heartbeat", msgspec.json.encode(heartbeat))
        return _decoded(body if status == TOO_MANY else _granted(status, body), Answer)

    def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        try:
            with tracing.outgoing(f"POST {path}", headers):
                response = self._session.post(
                    self._url + path,
                    data=body,
                    headers=headers,
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise Away(str(error)) from error
        return response.status_code, response.content


def checks_in(answer: Answer) -> list[Check]:
    """The checks that this agent knows how to carry out; others are logged and left out."""
    checks = []
    for raw in answer.uptime_checks:
        try:
            checks.append(msgspec.json.decode(raw, type=Check))
        except msgspec.DecodeError as error:
            logger.warning("check.dropped: it is of a newer service: %s", error)
    return checks


def _granted(status: int, body: bytes) -> bytes:
    if status == requests.codes.ok:
        return body
    text = body[:200].decode(errors="replace")
    if 400 <= status < 500 and status != TOO_MANY:
        raise Refused(status, text)
    raise Away(f"status {status}: {text}")


def _decoded(body: bytes, type_: type[Message]) -> Message:
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.DecodeError as error:
        raise Away(f"what answers is not Upquorum: {error}") from error


def _refuse_bad_url(url: str, is_insecure: bool) -> None:
    parsed = urlsplit(url)
    if parsed.scheme == "https" and parsed.hostname:
        return
    if parsed.scheme == "http" and is_insecure and _is_here(parsed.hostname or ""):
        return
    raise BadService(f"{url!r} is not an https:// URL")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
