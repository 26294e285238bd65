"""HTTP: the URL answers with an expected status, and as its rules ask."""

from __future__ import annotations

import time

from msgspec.structs import replace

from probes.credentials import open_header
from probes.curl import Curl
from probes.errors import ErrorClass, Fault
from probes.fetch import FetchRequest, FetchResponse, fetch
from probes.judging import judge
from probes.measurement import NO_TIMINGS, Measurement, Timings
from probes.messages import HttpTarget
from probes.redirects import MAX_REDIRECTS, location_of, redirected
from probes.url import parse_http_url
from probes.vault import VaultError

MAX_BODY_BYTES = 1024 * 1024


async def probe_http(target: HttpTarget, timeout_ms: int, curl: Curl) -> Measurement:
    """Sends the request. Redirects are followed, unless an expected status is one itself.

    Status and address are those of the last hop; the timings are sums over all hops, and the deadline
    covers all of them. Raises `ValueError` for what should never have become a target.
    """
    try:
        request = _request(target, timeout_ms)
    except VaultError as error:
        return Measurement(error_class=ErrorClass.INTERNAL, error=str(error))
    deadline, spent = time.monotonic() + timeout_ms / 1000, NO_TIMINGS
    for _ in range(MAX_REDIRECTS + 1):
        response = await fetch(curl, request)
        spent = response.timings if spent is NO_TIMINGS else spent + response.timings
        location = location_of(response) if _follows(target) and not response.error_class else None
        if location is None:
            return _measured(spent, response, await judge(response, spent.total_ms, target))
        try:
            onward = redirected(request, response.status_code or 0, location)
        except ValueError as error:
            fault = Fault(ErrorClass.REDIRECT, f"redirected to a bad URL: {error}")
            return _measured(spent, response, fault)
        request = replace(onward, timeout_ms=(deadline - time.monotonic()) * 1000)
    return _measured(spent, response, Fault(ErrorClass.REDIRECT, f"more than {MAX_REDIRECTS} redirects"))


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


def _follows(target: HttpTarget) -> bool:
    expects_one = any(low < 400 and high >= 300 for low, high in target.expected_status)
    return target.follow_redirects and not expects_one


def _measured(spent: Timings, response: FetchResponse, fault: Fault | None) -> Measurement:
    return Measurement(
        error_class=fault.error_class if fault else None,
        error=fault.error if fault else "",
        status_code=response.status_code,
        address=response.address,
        timings=spent,
    )
