"""What may be probed, and where webhooks may go: the checks that a URL passes before it is stored.

They are for the person who mistyped. The address guard at connect is what keeps the network safe,
since a name may resolve differently tomorrow.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from api.errors import Refusal
from monitors.optouts import opted_out
from probes.resolve import Blocked, Unresolvable, check_host
from probes.url import BadUrl, parse_http_url, parse_tcp_url


def check_http_url(url: str) -> None:
    """Refuse a URL that no http probe and no webhook could reach or should."""
    try:
        parsed = parse_http_url(url)
    except BadUrl as error:
        raise Refusal(400, f"url is invalid: {error}") from error
    _check_host(parsed.host, parsed.port)


def check_tcp_url(url: str) -> None:
    """Refuse what is not `host:port` or `tcp://host:port`, or a port outside `UPQUORUM_TCP_PORTS`."""
    try:
        parsed = parse_tcp_url(url)
    except BadUrl as error:
        raise Refusal(400, f"url is invalid: {error}") from error
    allowed = settings.TCP_PORTS
    if "*" not in allowed and str(parsed.port) not in allowed:
        raise Refusal(
            400, f"port {parsed.port} is not allowed for tcp monitors; allowed: {', '.join(allowed)}"
        )
    _check_host(parsed.host, parsed.port)


URL_CHECKS: dict[str, Callable[[str], None]] = {
    "http": check_http_url,
    "tcp": check_tcp_url,
}


def _check_host(host: str, port: int) -> None:
    if opted_out(host):
        raise Refusal(400, "url rejected: the owner of the target has opted out")
    try:
        check_host(host, port, settings.ADDRESS_POLICY)
    except Unresolvable as error:
        raise Refusal(400, "url rejected: host does not resolve") from error
    except Blocked as error:
        raise Refusal(400, f"url rejected: ip {error.address} is in a blocked range") from error
