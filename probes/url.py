"""URLs as the project takes them: strict, and rebuilt from their parts.

Whatever two parsers could read differently is refused (RFC 3986 allows some of it), and what libcurl
gets is never the text that a customer typed but the canonical form made here.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

import idna
import msgspec

from probes.messages import TcpTarget

MAX_URL_CHARS = 2048
MAX_HOST_CHARS = 253
MAX_PORT = 65_535
AUTHORITY = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:]*))(?::(?P<port>[0-9]{0,5}))?")
HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
DEFAULT_PORTS = {"http": 80, "https": 443}
URL_SAFE = "!$%&'()*+,-./:;=?@_~[]|"
IN_PATH = re.escape(URL_SAFE.replace("?", "")) + "A-Za-z0-9"
CANONICAL = re.compile(
    rf"(https?)://({HOST.pattern})(?::([1-9][0-9]{{0,4}}))?(/[{IN_PATH}]*(?:\?[?{IN_PATH}]+)?)"
)
"""Scheme, host, port and target of what is canonical as it stands: not all that is, but nearly all are."""


class BadUrl(ValueError):
    """A URL or host that is not taken; the text is a short reason."""


class HttpUrl(msgspec.Struct, frozen=True, gc=False):
    """An http or https URL. `host` is lower case, IDNA-encoded, without brackets or a final dot."""

    scheme: str
    host: str
    port: int
    target: str
    """Path and query, as they go on the request line."""

    @property
    def authority(self) -> str:
        """Host and port, as they stand in a URL and in the Host header."""
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return bracketed(self.host) + port

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


@lru_cache(maxsize=10_000)  # the same ones are probed again and again
def parse_http_url(text: str) -> HttpUrl:
    """The URL in `text`, without its fragment; raises `BadUrl`."""
    return _canonical(text) or _parsed(text)


def _canonical(text: str) -> HttpUrl | None:
    """The URL that needs no parsing, at a fifth of the cost; None: it may be one nevertheless."""
    if len(text) > MAX_URL_CHARS or not (match := CANONICAL.fullmatch(text)):
        return None
    scheme, host, port, target = match.groups()
    number = int(port) if port else DEFAULT_PORTS[scheme]
    is_in_bounds = len(host) <= MAX_HOST_CHARS and number <= MAX_PORT
    return HttpUrl(scheme, host, number, target) if is_in_bounds else None


def _parsed(text: str) -> HttpUrl:
    parts = _split(text)
    if parts.scheme not in DEFAULT_PORTS:
        raise BadUrl("the scheme must be http or https")
    host, port = _authority(parts.netloc)
    path, query = quote(parts.path or "/", URL_SAFE), quote(parts.query, URL_SAFE)
    target = f"{path}?{query}" if query else path
    return HttpUrl(parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port, target)


def parse_tcp_url(text: str) -> TcpTarget:
    """The target in `tcp://host:port`, `host:port` or `[v6]:port`; raises `BadUrl`."""
    host, port = parse_address(text, "tcp")
    return TcpTarget(host=host, port=port)


def parse_address(text: str, scheme: str, default_port: int | None = None) -> tuple[str, int]:
    """Host and port in `scheme://host:port`, `host:port` or `[v6]:port`; raises `BadUrl`."""
    parts = _split(text if "://" in text else f"{scheme}://{text}")
    if parts.scheme != scheme:
        raise BadUrl(f"the scheme must be {scheme}")
    if parts.path or "?" in text or "#" in text:  # also where nothing follows these
        raise BadUrl("nothing may follow the port")
    host, port = _authority(parts.netloc)
    if (port := port or default_port) is None:
        raise BadUrl("a port is required")
    return host, port


def parse_host(text: str) -> str:
    """A host name or a literal without brackets, in its canonical form; raises `BadUrl`."""
    if "%" in text or not text.isprintable():  # neither survives in a URL, but IDNA and `ipaddress` drop them
        raise BadUrl("the host has a character that is not allowed")
    if ":" in text:
        return _ipv6(text)
    host = _idna(text).removesuffix(".").lower()
    if not host:
        raise BadUrl("a host is required")
    if len(host) > MAX_HOST_CHARS:
        raise BadUrl(f"the host is longer than {MAX_HOST_CHARS} characters")
    if not HOST.fullmatch(host):
        raise BadUrl("the host has a character that is not allowed")
    return host


def bracketed(host: str) -> str:
    """`host` as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _split(text: str) -> SplitResult:
    if len(text) > MAX_URL_CHARS:
        raise BadUrl(f"the URL is longer than {MAX_URL_CHARS} characters")
    if not text.isprintable() or " " in text:  # the only space that counts as printable
        raise BadUrl("control characters and spaces are not allowed")
    if "\\" in text:
        raise BadUrl("a backslash is not allowed")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise BadUrl("this is not a URL") from error
    return parts


def _authority(netloc: str) -> tuple[str, int | None]:
    """Host and port; stricter than `urlsplit`, which takes `[::1]x` for `::1`."""
    if "@" in netloc:
        raise BadUrl("userinfo is not allowed")
    if "%" in netloc:
        raise BadUrl("a zone id or an escaped host is not allowed")
    if not (match := AUTHORITY.fullmatch(netloc)):
        raise BadUrl("this is not a host and a port")
    port = int(match["port"]) if match["port"] else None
    if port is not None and port not in range(1, MAX_PORT + 1):
        raise BadUrl("the port must be from 1 to 65535")
    return _ipv6(match["ipv6"]) if match["ipv6"] else parse_host(match["name"]), port


def _ipv6(text: str) -> str:
    try:
        packed = ipaddress.IPv6Address(text).packed
    except ValueError as error:
        raise BadUrl("the host is not an IPv6 address") from error
    return socket.inet_ntop(socket.AF_INET6, packed)  # the spelling that getaddrinfo answers with


def _idna(text: str) -> str:
    if text.isascii():
        return text
    if len(text) > MAX_HOST_CHARS:  # before it is encoded: the cost grows faster than the text
        raise BadUrl(f"the host is longer than {MAX_HOST_CHARS} characters")
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadUrl("the host is not a valid internationalized name") from error
