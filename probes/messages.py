"""The messages between the core and a regional worker: frozen, typed, versioned.

They travel as JSON through the broker. Instants are Unix milliseconds (`*_at_ms`), durations
milliseconds (`*_ms`). `tests/probes/test_messages.py` holds a golden example of each; a change that
breaks one needs a new `VERSION`, because a worker may be older than the core that feeds it.

Those that come by the thousand are none of the garbage collector's business (`gc=False`): plain values make
no circles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import msgspec

VERSION = 1

Outcome = Literal["up", "down", "missed", "error", "slow"]
"""Only `up` and `down` vote. `missed`: too late to run. `error`: our own fault, or our policy refused.

`slow` is no answer yet: it says that the probe is taking long, and its answer comes later.
"""
HttpVersion = Literal["1.1", "2", "3"]
IpVersion = Literal[4, 6]
RecordType = Literal["A", "AAAA", "MX", "TXT", "CNAME", "NS", "SOA", "SRV", "CAA"]
StartTls = Literal["smtp", "imap", "pop3"]


class SealedHeader(msgspec.Struct, frozen=True, kw_only=True):
    """A header whose value is a secret: `token` opens only for this account; see `probes.credentials`."""

    name: str
    token: str
    account_id: int


class BodyRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a body must contain or, negated, must not: `text` as it is, or an RE2 pattern."""

    text: str
    is_regex: bool = False
    is_negated: bool = False


class HttpTarget(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag="http"):
    """An http or https URL, what to send to it, and what its answer must look like."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    auth: SealedHeader | None = None
    body: str | None = None
    expected_status: tuple[tuple[int, int], ...] = ((200, 200),)
    """Ranges, both ends included."""
    body_rule: BodyRule | None = None
    max_latency_ms: int | None = None
    follow_redirects: bool = True
    http_version: HttpVersion | None = None
    """The only version that is taken; None lets the server choose between 1.1 and 2."""
    ip_version: IpVersion | None = None


class TcpTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="tcp"):
    """A port that must accept a connection. `host` is a name or a literal without brackets."""

    host: str
    port: int
    tls: bool = False
    """Then the handshake must end as well, with a certificate that is trusted."""
    ip_version: IpVersion | None = None


class SslTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="ssl"):
    """A certificate that must be trusted, for this host, and valid."""

    host: str
    port: int = 443
    warn_days: int | None = None
    """With fewer days left the probe is `up`, and marked `cert_expiring`."""
    starttls: StartTls | None = None
    """The protocol that is spoken before the handshake; None begins with it."""
    ip_version: IpVersion | None = None


class UdpTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="udp"):
    """A port that must not reject a datagram of `payload`."""

    host: str
    port: int
    payload: str = ""
    ip_version: IpVersion | None = None


class PingTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="ping"):
    """A host that must answer an ICMP echo request."""

    host: str
    ip_version: IpVersion | None = None


class DnsTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="dns"):
    """A name that must have a record."""

    name: str
    record_type: RecordType = "A"
    expected_value: str | None = None
    """Must be part of at least one record, in whatever case."""
    resolver: str | None = None
    """`host[:port]` of a name server; None is the region's own."""


Target = HttpTarget | TcpTarget | SslTarget | UdpTarget | PingTarget | DnsTarget


class ProbeRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One probe asked of one region. The first five fields come back in the result as they were sent."""

    monitor_id: int
    config_version: int
    scheduled_at_ms: int
    round_id: int | None = None
    attempt: int = 1
    target: Target
    timeout_ms: int
    suspect_after_ms: int | None = None
    """A probe that takes longer than that says so, so that others can be asked while it goes on."""
    latency_warn_ms: int | None = None
    """An answer that is as expected, but took longer, is `up` and marked `latency_warning`."""
    start_by_ms: int
    """Past this instant the probe is not run, and its outcome is `missed`."""


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a server presented, trusted or not."""

    issuer: str
    expires_at_ms: int
    chain_expires_at_ms: int
    """The earliest of all certificates that were sent."""


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What one region measured: the evidence of one probe. Absent timings were not reached."""

    monitor_id: int
    config_version: int
    scheduled_at_ms: int
    round_id: int | None = None
    attempt: int = 1
    region: str
    outcome: Outcome
    started_at_ms: int
    total_ms: float
    error_class: str = ""
    error: str = ""
    status_code: int | None = None
    address: str = ""
    family: IpVersion | None = None
    """Of `address`."""
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    ttfb_ms: float | None = None
    download_ms: float | None = None
    certificate: Certificate | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Probes for one region, in one broker message."""

    version: int = VERSION
    region: str
    urgent: bool = False
    """Confirmation and immediate probes: they overtake the scheduled ones."""
    expires_at_ms: int | None = None
    """Past this instant nobody waits for the results any more: a backlog is dropped whole."""
    requests: list[ProbeRequest]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """Results from one region, in one broker message, in the order they finished."""

    version: int = VERSION
    region: str
    results: list[ProbeResult]


class RegionBeat(msgspec.Struct, frozen=True, kw_only=True):
    """A regional worker says that it lives, consumes and what it carries."""

    version: int = VERSION
    region: str
    worker: str
    sent_at_ms: int
    """By the worker's own clock: all else that it sends goes by the broker's."""
    in_flight: int
    sick: str = ""
    """Why the region says that it cannot see the world; empty while it is well."""


Item = TypeVar("Item")
Message = TypeVar("Message", Batch, Results, RegionBeat)


class BadMessage(ValueError):
    """A message that is not of its type or not of a version we know; the text says why."""


def pack(message: Batch | Results | RegionBeat) -> msgspec.Raw:
    """A message as JSON, which becomes part of that of its task; see `probes.broker`."""
    return msgspec.Raw(msgspec.json.encode(message))


def pack_result(result: ProbeResult) -> dict[str, Any]:
    """The JSON-ready form of one result, as it is kept with a vote."""
    packed: dict[str, Any] = msgspec.to_builtins(result)
    return packed


def unpack(raw: msgspec.Raw, kind: type[Message]) -> Message:
    """The message in `raw`; raises `BadMessage`."""
    try:
        message = msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError as error:
        raise BadMessage(str(error)) from error
    if message.version != VERSION:
        raise BadMessage(f"version {message.version} is not {VERSION}")
    return message


def split(items: Sequence[Item], size: int) -> list[list[Item]]:
    """`items` in lists of at most `size`, in order."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


TIMINGS = ("dns_ms", "connect_ms", "tls_ms", "ttfb_ms", "download_ms", "total_ms")
"""The fields of a result that are durations in milliseconds."""
