"""HTTP: the answer has the expected status and, if asked for, contains a text."""

from __future__ import annotations

import time
from urllib.parse import urljoin

from probes.curl import Curl
from probes.errors import ErrorClass
from probes.fetch import FetchRequest, FetchResponse, fetch
from probes.measurement import Measurement, Timings
from probes.messages import HttpTarget
from probes.url import BadUrl, HttpUrl, parse_http_url

MAX_BODY_BYTES = 1024 * 1024
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def probe_http(target: HttpTarget, timeout_ms: int, curl: Curl) -> Measurement:
    """GETs the URL. Redirects are followed, unless the expected status is one itself.

    Status and address are those of the last hop; the timings are sums over all hops, and the deadline
    covers all of them. Raises `BadUrl` for a URL that should never have become a target.
    """
    deadline = time.monotonic() + timeout_ms / 1000
    url, spent = parse_http_url(target.url), Timings()
    for _ in range(MAX_REDIRECTS + 1):
        timeout_left_ms = (deadline - time.monotonic()) * 1000
        response = await fetch(curl, _get(url, timeout_left_ms))
        spent += response.timings
        location = _redirect(response, target)
        if location is None:
            return _measured(spent, response, *_judge(response, target))
        try:
            url = parse_http_url(urljoin(str(url), location.replace(" ", "%20")))
        except (BadUrl, ValueError) as error:
            return _measured(spent, response, ErrorClass.REDIRECT, f"redirected to a bad URL: {error}")
    return _measured(spent, response, ErrorClass.REDIRECT, f"more than {MAX_REDIRECTS} redirects")


def _get(url: HttpUrl, timeout_ms: float) -> FetchRequest:
    return FetchRequest(url=url, timeout_ms=timeout_ms, max_body_bytes=MAX_BODY_BYTES)


def _redirect(response: FetchResponse, target: HttpTarget) -> str | None:
    """Where the response redirects to, if it is to be followed."""
    if response.error_class or target.expected_status in range(300, 400):
        return None
    return response.header("location") if response.status_code in REDIRECTS else None


def _judge(response: FetchResponse, target: HttpTarget) -> tuple[ErrorClass | None, str]:
    if response.error_class:
        return response.error_class, response.error
    status = response.status_code or 0
    if status != target.expected_status:
        return _status_class(status), f"status {status}, expected {target.expected_status}"
    if target.body_match is None or target.body_match.encode() in response.body:
        return None, ""
    if response.is_truncated:
        return ErrorClass.TOO_LARGE, f"the text is not in the first {MAX_BODY_BYTES} bytes of the body"
    return ErrorClass.BODY_MISMATCH, "the body does not contain the expected text"


def _status_class(status: int) -> ErrorClass:
    if status >= 500:
        return ErrorClass.HTTP_5XX
    return ErrorClass.HTTP_4XX if status >= 400 else ErrorClass.HTTP_STATUS


def _measured(
    spent: Timings, response: FetchResponse, error_class: ErrorClass | None, error: str
) -> Measurement:
    return Measurement(
        error_class=error_class,
        error=error,
        status_code=response.status_code,
        address=response.address,
        timings=spent,
    )
