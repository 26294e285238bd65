"""An HTTP request and its response, however they are exchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

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

ENCLOSING = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say the length of a body they do not have (RFC 9110 section 8.6)."""


class FetchRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
        if self.method != "GET" and not TOKEN.fullmatch(self.method):
            raise ValueError(f"{self.method!r} is not a method")
        for name, value in self.headers:
            check_header(name, value)


class FetchResponse(Measurement, frozen=True, kw_only=True, gc=False):
    """What came back. With an `error_class`, the rest is as far as it got."""

    body: bytes = b""
    is_truncated: bool = False
    head: bytes = b""
    """Status line and headers as received, of interim responses too."""

    def header(self, name: str) -> str | None:
        """The value of the last field of that name, if there is one."""
        wanted = name.lower().encode()
        for line in reversed(self.head.splitlines()):
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
