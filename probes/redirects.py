"""Redirects, followed by ourselves: libcurl would carry a customer's headers to another host."""

from __future__ import annotations

from urllib.parse import urljoin

from msgspec.structs import replace

from probes.fetch import FetchRequest, FetchResponse
from probes.url import HttpUrl, parse_http_url

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})


def location_of(response: FetchResponse) -> str | None:
    """Where the response redirects to, if it does."""
    return response.header("location") if response.status_code in REDIRECTS else None


def redirected(request: FetchRequest, status_code: int, location: str) -> FetchRequest:
    """The request that a redirect asks for (RFC 9110 section 15.4); raises `ValueError` for a bad URL.

    Where the origin changes, what the customer gave for it goes no further: headers, credentials, body.
    """
    url = parse_http_url(urljoin(str(request.url), location.replace(" ", "%20")))
    if _origin(url) != _origin(request.url):
        return replace(request, url=url, method=_bodiless(request.method), headers=(), body=None)
    if status_code == 303 or (status_code in (301, 302) and request.method == "POST"):
        return replace(request, url=url, method=_bodiless(request.method), body=None)
    return replace(request, url=url)


def _origin(url: HttpUrl) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port


def _bodiless(method: str) -> str:
    return "HEAD" if method == "HEAD" else "GET"
