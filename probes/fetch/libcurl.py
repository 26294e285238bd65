"""One HTTP exchange by libcurl."""

from __future__ import annotations

import pycurl

from probes.curl import Curl, Found, Option
from probes.errors import ErrorClass, Fault
from probes.fetch.messages import ENCLOSING, MAX_HEADER_BYTES, FetchRequest, FetchResponse
from probes.measurement import Measurement
from probes.messages import HttpVersion

NOT_SENT = (b"Expect:", b"Content-Type:")
"""What libcurl would add to a request with a body; a header of the request's own is sent all the same."""
HTTP_VERSIONS: dict[HttpVersion, int] = {
    "1.1": pycurl.CURL_HTTP_VERSION_1_1,
    "2": pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
    "3": pycurl.CURL_HTTP_VERSION_3ONLY,
}
H2_OVER_TLS = pycurl.CURL_HTTP_VERSION_2TLS
"""By ALPN: with prior knowledge a server that has only 1.1 might be waited for until the deadline."""
NOT_H2 = Fault(ErrorClass.PROTOCOL, "the server does not speak HTTP/2")


async def fetch_by_libcurl(curl: Curl, request: FetchRequest, found: Found) -> FetchResponse:
    """Sends `request` to where its host was found."""
    received = Received(request.max_body_bytes, request.keep_body)
    options = _options(request, received)
    inspect = received.version if _is_h2_over_tls(request) else None
    done = await curl.transfer_to(found, str(request.url), request.timeout_ms, options, inspect)
    error_class, error = _fault(received, done)
    body, head = received.taken()
    return FetchResponse(
        error_class=error_class,
        error=error,
        status_code=done.status_code,
        address=done.address,
        timings=done.timings,
        body=body,
        is_truncated=received.is_truncated,
        head=head,
    )


def _fault(received: Received, done: Measurement) -> tuple[ErrorClass | None, str]:
    if done.error_class and not received.is_truncated:
        return done.error_class, done.error
    return (None, "") if received.is_version_right else NOT_H2


class Received:
    """Collects a response up to its caps. To take less than it is given ends the transfer."""

    def __init__(self, max_body_bytes: int, keep_body: bool) -> None:
        self._bytes_left = max_body_bytes
        self._keep_body = keep_body
        self._body = bytearray()
        self.is_truncated = False
        self.is_version_right = True
        self._head = bytearray()

    def header(self, line: bytes) -> int:
        """libcurl's HEADERFUNCTION."""
        if len(self._head) + len(line) > MAX_HEADER_BYTES:
            return 0
        self._head += line
        return len(line)

    def write(self, chunk: bytes) -> int:
        """libcurl's WRITEFUNCTION."""
        taken = chunk[: self._bytes_left]
        self._bytes_left -= len(taken)
        if self._keep_body:
            self._body += taken
        self.is_truncated = len(taken) < len(chunk)
        return len(taken)

    def version(self, handle: pycurl.Curl) -> None:
        """Looks whether ALPN chose HTTP/2."""
        self.is_version_right = handle.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0

    def taken(self) -> tuple[bytes, bytes]:
        """Body and head, which are no longer kept here: an idle handle refers to this object."""
        taken = bytes(self._body), bytes(self._head)
        self._body, self._head = bytearray(), bytearray()
        return taken


def _is_h2_over_tls(request: FetchRequest) -> bool:
    return request.http_version == "2" and request.url.scheme == "https"


def _options(request: FetchRequest, received: Received) -> list[Option]:
    options: list[Option] = [
        (pycurl.WRITEFUNCTION, received.write),
        (pycurl.HEADERFUNCTION, received.header),
    ]
    has_body = request.body is not None or request.method in ENCLOSING
    if request.headers or has_body:
        lines = [_header_line(name, value) for name, value in request.headers]
        options.append((pycurl.HTTPHEADER, [*NOT_SENT, *lines]))
    if request.http_version:
        version = H2_OVER_TLS if _is_h2_over_tls(request) else HTTP_VERSIONS[request.http_version]
        options.append((pycurl.HTTP_VERSION, version))
    if has_body:
        options.append((pycurl.POSTFIELDS, request.body or b""))
    if request.method == "HEAD":
        options.append((pycurl.NOBODY, 1))
    elif request.method != "GET" or request.body is not None:
        options.append((pycurl.CUSTOMREQUEST, request.method))
    return options


def _header_line(name: str, value: str) -> bytes:
    """In libcurl `Name:` removes a header, and `Name;` sends an empty one."""
    line = f"{name}: {value}" if value.strip() else f"{name};"
    return line.encode("latin-1")
