"""What may be probed, and where webhooks may go: the checks that a URL passes before it is stored.

They are for the person who mistyped. The address guard at connect is what keeps the network safe,
since a name may resolve differently tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from api.errors import Refusal
from monitors.assignments import ASSIGNABLE
from monitors.optouts import opted_out
from monitors.rhythm import BadRhythm, check_cron, check_zone
from monitors.targets import TARGETS, bare_host, host_of, ssl_address
from probes.pattern import BadPattern, compile_pattern
from probes.resolve import Blocked, Unresolvable, check_host
from probes.url import BadUrl, bracketed, parse_address, parse_http_url

DNS_PORT = 53


def check_http_url(url: str) -> list[str]:
    """Refuse a URL that no http probe and no webhook could reach or should; its host's addresses."""
    with _named("url"):
        parsed = parse_http_url(url)
    return _check_host(parsed.host, parsed.port)


def check_tcp_url(url: str) -> list[str]:
    """Refuse what is not `host:port` or `tcp://host:port`, or a port outside `UPQUORUM_TCP_PORTS`."""
    return _check_address(url, "tcp")


def check_port_url(url: str) -> list[str]:
    """Refuse what is not `host:port` or `port://host:port`, or a port outside `UPQUORUM_TCP_PORTS`."""
    return _check_address(url, "port")


def check_ssl_url(url: str) -> list[str]:
    """Refuse what is not `host`, `host:port` or an https URL."""
    with _named("url"):
        host, port = ssl_address(url)
    return _check_host(host, port)


def check_ping_host(url: str) -> list[str]:
    """Refuse what names no host that can be pinged."""
    with _named("url"):
        host = bare_host(url)
    return _check_host(host, 0)


def check_dns_name(url: str) -> list[str]:
    """Refuse what is not a name. It need not resolve: whether it has a record is what is watched."""
    with _named("url"):
        _check_opt_out(bare_host(url))
    return []


def checked_address(host: str, port: int) -> tuple[str, list[str]]:
    """The address of both, as it is stored, and its host's addresses. Refuses what may not be reached."""
    address = f"{bracketed(host)}:{port}"
    with _named("host"):
        name, _ = parse_address(address, "tcp")
    return address, _check_host(name, port, "host")


def check_bare_address(url: str) -> None:
    """Refuse what is not `host:port`, with no scheme."""
    if "://" in url:
        raise Refusal(400, "url must be host:port", field="url")
    with _named("url"):
        parse_address(url, "tcp")


def check_for_servers(type_: str, url: str, options: Mapping[str, Any]) -> None:
    """Refuse what no agent can look at. Private addresses are what agents are for."""
    if type_ not in ASSIGNABLE:
        raise Refusal(400, f"servers cannot look at {type_} monitors")
    if "auth" in options:
        raise Refusal(400, "servers cannot look at monitors with credentials")
    with _named("url"):
        host = host_of(TARGETS[type_](url, dict(options)))
    _check_opt_out(host)


def refuse_bad_options(options: Mapping[str, Any]) -> None:
    """Refuse a pattern that RE2 does not take, a name server that may not be asked, and a bad rhythm."""
    if options.get("body_is_regex"):
        try:
            compile_pattern(options["body_match"])
        except BadPattern as error:
            raise Refusal(400, f"keyword is not a valid pattern: {error}") from error
    if resolver := options.get("resolver"):
        with _named("dns_resolver"):
            host, port = parse_address(resolver, "dns", default_port=DNS_PORT)
        _check_host(host, port)
    _refuse_bad_rhythm(options)


def _refuse_bad_rhythm(options: Mapping[str, Any]) -> None:
    try:
        if "cron" in options:
            check_cron(options["cron"])
        if "timezone" in options:
            check_zone(options["timezone"])
    except BadRhythm as error:
        raise Refusal(400, f"heartbeat_{error}") from error


def _check_address(url: str, type_: str) -> list[str]:
    with _named("url"):
        host, port = parse_address(url, type_)
    allowed = settings.TCP_PORTS
    if "*" not in allowed and str(port) not in allowed:
        raise Refusal(400, f"port {port} is not allowed for {type_} monitors; allowed: {', '.join(allowed)}")
    return _check_host(host, port)


@contextmanager
def _named(field: str) -> Iterator[None]:
    """A bad URL in the block is refused by the name of its field."""
    try:
        yield
    except BadUrl as error:
        raise Refusal(400, f"{field} is invalid: {error}", field=field) from error


def _check_host(host: str, port: int, field: str = "url") -> list[str]:
    _check_opt_out(host, field)
    try:
        return check_host(host, port, settings.ADDRESS_POLICY)
    except Unresolvable as error:
        raise _rejected(field, "host does not resolve") from error
    except Blocked as error:
        raise _rejected(field, f"ip {error.address} is in a blocked range") from error


def _check_opt_out(host: str, field: str = "url") -> None:
    if opted_out(host):
        raise _rejected(field, "the owner of the target has opted out")


def _rejected(field: str, reason: str) -> Refusal:
    return Refusal(400, f"{field} rejected: {reason}", field=field)
