"""HTTP: the URL answers with an expected status, and as its rules ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from probes.credentials import open_header
from probes.curl import Curl
from probes.errors import ErrorClass, Fault
from probes.fetch import FetchRequest, FetchResponse, begin_plain, fetch, is_plain
from probes.judging import judge, judge_head
from probes.measurement import Measure, Measurement, Timings
from probes.messages import HttpTarget
from probes.redirects import MAX_REDIRECTS, location_of, redirected
from probes.resolver import is_address
from probes.url import parse_http_url
from probes.vault import VaultError

MAX_BODY_BYTES = 1024 * 1024


async def probe_http(target: HttpTarget, timeout_ms: int, curl: Curl) -> Measurement:
    """Sends the request. Redirects are followed, unless an expected status is one itself.

    Status and address are those of the last hop; the timings are sums over all hops, and the deadline
    covers all of them. Raises `ValueError` for what should never have become a target.
    """
    started = time.monotonic()
    try:
        request = _request(target, timeout_ms)
    except VaultError as error:
        return Measurement(error_class=ErrorClass.INTERNAL, error=str(error))
    return await follow(target, request, await fetch(curl, request), curl, started + timeout_ms / 1000)


async def follow(
    target: HttpTarget, request: FetchRequest, response: FetchResponse, curl: Curl, deadline: float
) -> Measurement:
    """The same from the first response on. `deadline` is by `time.monotonic`."""
    spent, hops = response.timings, 0
    while (location := _onward(target, response)) is not None:
        try:
            onward = redirected(request, response.status_code or 0, location)
        except ValueError as error:
            return _measured(spent, response, Fault(ErrorClass.REDIRECT, f"redirected to a bad URL: {error}"))
        if (hops := hops + 1) > MAX_REDIRECTS:
            fault = Fault(ErrorClass.REDIRECT, f"more than {MAX_REDIRECTS} redirects")
            return _measured(spent, response, fault)
        request = replace(onward, timeout_ms=(deadline - time.monotonic()) * 1000)
        response = await fetch(curl, request)
        spent = spent + response.timings
    return _measured(spent, response, await judge(response, spent.total_ms, target))


def begin_http(
    target: HttpTarget, timeout_ms: int, curl: Curl, on_end: Callable[[Measurement | Measure], object]
) -> Callable[[], None] | None:
    """The same without a task, where one exchange may do: no name, no secret, no body to search."""
    if target.auth or target.body_rule:
        return None
    request = _request(target, timeout_ms)
    if not is_plain(request) or not is_address(request.url.host, request.ip_version):
        return None

    def settle(response: FetchResponse) -> None:
        if judge_head(response, response.timings.total_ms, target):
            on_end(partial(follow, target, request, response, curl, deadline))
        else:  # an expected status is never followed
            on_end(_measured(response.timings, response, None))

    deadline = time.monotonic() + timeout_ms / 1000
    connection = begin_plain(curl, request, request.url.host, settle)
    return partial(curl.sockets.drop, connection)


def _request(target: HttpTarget, timeout_ms: float) -> FetchRequest:
    secret = [open_header(target.auth)] if target.auth else []
    return FetchRequest(
        url=parse_http_url(target.url),
        timeout_ms=timeout_ms,
        max_body_bytes=MAX_BODY_BYTES,
        keep_body=target.body_rule is not None,
        method=target.method,
        headers=[*target.headers, *secret],
        body=None if target.body is None else target.body.encode(),
        http_version=target.http_version,
        ip_version=target.ip_version,
    )


def _onward(target: HttpTarget, response: FetchResponse) -> str | None:
    """Where to go on to. Not at all where an expected status is a redirect itself."""
    if response.error_class or not target.follow_redirects:
        return None
    expects_one = any(low < 400 and high >= 300 for low, high in target.expected_status)
    return None if expects_one else location_of(response)


def _measured(spent: Timings, response: FetchResponse, fault: Fault | None) -> Measurement:
    return Measurement(
        error_class=fault.error_class if fault else None,
        error=fault.error if fault else "",
        status_code=response.status_code,
        address=response.address,
        timings=spent,
    )
