"""One HTTP exchange, for probes and for webhooks alike: request in, response out, no redirects."""

from __future__ import annotations

from probes.curl import Curl
from probes.fetch.libcurl import fetch_by_libcurl
from probes.fetch.messages import FetchRequest, FetchResponse, check_header
from probes.fetch.plain import begin_plain, fetch_plain, is_plain
from probes.measurement import Measurement

__all__ = ["FetchRequest", "FetchResponse", "begin_plain", "check_header", "fetch", "is_plain"]


async def fetch(curl: Curl, request: FetchRequest) -> FetchResponse:
    """Sends `request`. Network trouble is a class in the response, never an exception.

    Of a host with several addresses libcurl tries one after another (RFC 8305).
    """
    url = request.url
    found = await curl.find(url.host, url.port, request.timeout_ms, request.ip_version)
    if isinstance(found, Measurement):
        return FetchResponse(error_class=found.error_class, error=found.error, timings=found.timings)
    if is_plain(request) and len(found.addresses) == 1:
        return await fetch_plain(curl, request, found.addresses[0], found.dns_ms)
    return await fetch_by_libcurl(curl, request, found)
