"""One HTTP exchange, for probes and for webhooks alike: request in, response out, no redirects."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
import pycurl

from probes.curl import Curl, Option
from probes.errors import ErrorClass, Fault
from probes.measurement import Measurement
from probes.messages import HttpVersion, IpVersion
from probes.url import HttpUrl

MAX_HEADER_BYTES = 64 * 1024

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110 section 5.6.2."""
FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""RFC 9110 section 5.5: no CR, LF or NUL, which libcurl would send as they are."""
FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})
"""Where a message goes and where it ends is decided here, not by a customer's header."""

NOT_SENT = (b"Expect:", b"Content-Type:")
"""What libcurl would add to a request with a body; a header of the request's own is sent all the same."""
ENCLOSING = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say the length of a body they do not have (RFC 9110 section 8.6)."""
HTTP_VERSIONS: dict[HttpVersion, int] = {
    "1.1": pycurl.CURL_HTTP_VERSION_1_1,
    "2": pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
    "3": pycurl.CURL_HTTP_VERSION_3ONLY,
}
H2_OVER_TLS = pycurl.CURL_HTTP_VERSION_2TLS
"""By ALPN: with prior knowledge a server that has only 1.1 might be waited for until the deadline."""
NOT_H2 = Fault(ErrorClass.PROTOCOL, "the server does not speak HTTP/2")


class FetchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request. Raises `ValueError` for a method or header that cannot be sent as it is.

    `timeout_ms` is one deadline over all of it, DNS included. Past `max_body_bytes` of the decoded body
    reading stops, and the response says that it is truncated. More than 64 KiB of headers is `too_large`.
    An `http_version` is the only one that is taken.
    """

    url: HttpUrl
    timeout_ms: float
    max_body_bytes: int
    keep_body: bool = True
    """Else it is only read, and the response has none."""
    method: str = "GET"
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    http_version: HttpVersion | None = None
    ip_version: IpVersion | None = None

    def __post_init__(self) -> None:
        if not TOKEN.fullmatch(self.method):
            raise ValueError(f"{self.method!r} is not a method")
        for name, value in self.headers:
            check_header(name, value)


class FetchResponse(Measurement, frozen=True, kw_only=True):
    """What came back. With an `error_class`, the rest is as far as it got."""

    body: bytes
    is_truncated: bool
    header_lines: Sequence[bytes]
    """As received, status lines of interim responses included."""

    def header(self, name: str) -> str | None:
        """The value of the last field of that name, if there is one."""
        wanted = name.lower().encode()
        for line in reversed(self.header_lines):
            if line.startswith(b"HTTP/"):
                return None
            field, _, value = line.partition(b":")
            if field.lower() == wanted:
                return value.strip().decode("utf-8", "replace")
        return None


def check_header(name: str, value: str) -> None:
    """Raises `ValueError` for a header that is malformed, or that would reframe or redirect the message."""
    if not TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a header name")
    if not FIELD_VALUE.fullmatch(value):
        raise ValueError(f"the value of header {name} has a character that is not allowed")
    if name.lower() in FRAMING or name.lower().startswith("proxy-"):
        raise ValueError(f"header {name} cannot be set")


async def fetch(curl: Curl, request: FetchRequest) -> FetchResponse:
    """Sends `request`. Network trouble is a class in the response, never an exception."""
    received = Received(request.max_body_bytes, request.keep_body)
    url = request.url
    options = _options(request, received)
    inspect = received.version if _is_h2_over_tls(request) else None
    done = await curl.transfer(
        str(url), url.host, url.port, request.timeout_ms, options, request.ip_version, inspect
    )
    error_class, error = _fault(received, done)
    body, header_lines = received.taken()
    return FetchResponse(
        error_class=error_class,
        error=error,
        status_code=done.status_code,
        address=done.address,
        timings=done.timings,
        body=body,
        is_truncated=received.is_truncated,
        header_lines=header_lines,
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
        self._header_lines: list[bytes] = []
        self._header_bytes = 0

    def header(self, line: bytes) -> int:
        """libcurl's HEADERFUNCTION."""
        self._header_bytes += len(line)
        if self._header_bytes > MAX_HEADER_BYTES:
            return 0
        self._header_lines.append(line)
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

    def taken(self) -> tuple[bytes, list[bytes]]:
        """Body and header lines, which are no longer kept here: an idle handle refers to this object."""
        body, self._body = bytes(self._body), bytearray()
        lines, self._header_lines = self._header_lines, []
        return body, lines


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
