"""One HTTP/1.1 exchange without TLS, by a socket of our own."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from probes.connection import Connection
from probes.curl import Curl
from probes.fetch.answer import Answer
from probes.fetch.messages import ENCLOSING, FetchRequest, FetchResponse
from probes.measurement import Timings

OURS = "User-Agent: {}\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n"


def is_plain(request: FetchRequest) -> bool:
    """Whether this needs no libcurl: neither TLS nor a newer HTTP, nor a coding that we cannot decode."""
    return (
        request.url.scheme == "http"
        and request.http_version in (None, "1.1")
        and not (request.headers and any(name.lower() == "accept-encoding" for name, _ in request.headers))
    )


async def fetch_plain(curl: Curl, request: FetchRequest, address: str, dns_ms: float) -> FetchResponse:
    """Sends `request` to the one address that its host has, which was found in `dns_ms`."""
    ended: asyncio.Future[FetchResponse] = asyncio.get_running_loop().create_future()

    def end(response: FetchResponse) -> None:
        if not ended.done():  # cancelled, in the turn before its task hears of it
            ended.set_result(response)

    connection = begin_plain(curl, request, address, end, dns_ms)
    try:
        return await ended
    except asyncio.CancelledError:
        curl.sockets.drop(connection)
        raise


def begin_plain(
    curl: Curl,
    request: FetchRequest,
    address: str,
    on_end: Callable[[FetchResponse], object],
    dns_ms: float = 0.0,
) -> Connection:
    """The same without a coroutine: `on_end` is given the response later, unless it is dropped."""
    answer = Answer(request)

    def respond(connection: Connection) -> None:
        on_end(_response(answer, connection, dns_ms))

    data = request_bytes(request, curl.user_agent)
    timeout_seconds = max(0.001, (request.timeout_ms - dns_ms) / 1000)
    connection = Connection((address, request.url.port), data, answer, timeout_seconds, respond)
    curl.sockets.begin(connection)
    return connection


def request_bytes(request: FetchRequest, user_agent: str) -> bytes:
    """The request as it is sent (RFC 9112 section 3). A header of its own takes the place of ours."""
    url, ours = request.url, _our_headers(user_agent)
    if request.headers:
        theirs = {name.lower() for name, _ in request.headers}
        lines = [line for line in ours.splitlines(True) if line.partition(":")[0].lower() not in theirs]
        ours = "".join([*lines, *map(_line, request.headers)])
    body = None if request.method == "HEAD" else request.body
    if body is not None or request.method in ENCLOSING:
        ours += f"Content-Length: {len(body or b'')}\r\n"
    head = f"{request.method} {url.target} HTTP/1.1\r\nHost: {url.authority}\r\n{ours}\r\n"
    return head.encode("latin-1") + (body or b"")


@functools.cache
def _our_headers(user_agent: str) -> str:
    return OURS.format(user_agent)


def _line(header: tuple[str, str]) -> str:
    return f"{header[0]}: {header[1]}".rstrip() + "\r\n"


def _response(answer: Answer, connection: Connection, dns_ms: float) -> FetchResponse:
    error_class, error = connection.fault or (None, "")
    return FetchResponse(
        error_class=error_class,
        error=error,
        status_code=answer.status_code,
        address=connection.peer[0],
        timings=_timings(connection, dns_ms),
        body=bytes(answer.body),
        is_truncated=answer.is_truncated,
        head=answer.head,
    )


def _timings(connection: Connection, dns_ms: float) -> Timings:
    begin, end = connection.started_ns, connection.ended_ns
    connected, first_byte = connection.connected_ns, connection.first_byte_ns
    return Timings(
        total_ms=round(dns_ms + _ms(end - begin), 3),
        dns_ms=dns_ms,
        connect_ms=_ms(connected - begin) if connected else None,
        ttfb_ms=_ms(first_byte - connected) if first_byte else None,
        download_ms=_ms(end - first_byte) if first_byte else None,
    )


def _ms(duration_ns: int) -> float:
    """Of whole microseconds, as libcurl has them."""
    return duration_ns // 1000 / 1000
