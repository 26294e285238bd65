"""Transfers with libcurl on the running asyncio loop: resolve, guard, transfer, classify.

Every connection is new and is closed after its transfer, so nothing of one account reaches another,
and each probe measures the whole way. Options that matter for safety are set here, for every transfer.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pycurl

from probes import USER_AGENT
from probes.env import ca_file
from probes.errors import CONNECT_ERRNOS, CURL_CODES, ErrorClass, blocked
from probes.guard import AddressPolicy
from probes.measurement import Measurement, Timings, ms_since, unresolved
from probes.messages import IpVersion
from probes.multi import Multi
from probes.resolve import Unresolvable
from probes.resolver import Resolver, ResolverBusy
from probes.sockets import Sockets
from probes.url import bracketed

IDLE_LINES = 256
MAX_ERROR_CHARS = 200
X509_V_ERR_CERT_HAS_EXPIRED = 10

INSTANTS = (
    pycurl.NAMELOOKUP_TIME_T,
    pycurl.CONNECT_TIME_T,
    pycurl.APPCONNECT_TIME_T,
    pycurl.STARTTRANSFER_TIME_T,
    pycurl.TOTAL_TIME_T,
)

Option = tuple[int, Any]
Inspect = Callable[[pycurl.Curl], None]
Kind = tuple[int, ...]
"""The options that are set for one transfer and may differ in the next, without their values."""

ALWAYS: tuple[Option, ...] = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.PROXY, ""),  # with http_proxy in the environment the guard would see the proxy alone
    (pycurl.NOPROXY, "*"),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.FRESH_CONNECT, 1),
    (pycurl.FORBID_REUSE, 1),
    (pycurl.SSL_SESSIONID_CACHE, 0),  # a resumed session shows no certificate: an expired one would pass
    (pycurl.ACCEPT_ENCODING, ""),  # all that libcurl can decode
    (pycurl.DNS_CACHE_TIMEOUT, 1),  # seconds: what RESOLVE sets is used at once, and then forgotten
)
HARMLESS = frozenset(
    {
        pycurl.WRITEFUNCTION,
        pycurl.HEADERFUNCTION,
        pycurl.CONNECT_ONLY,
        pycurl.SSL_ENABLE_ALPN,
        pycurl.HTTP_VERSION,
        pycurl.NOBODY,
    }
)
"""Where nothing else was set, a handle is used again as it is, by transfers that set the same."""


class Found(NamedTuple):
    """A host that was looked up."""

    host: str
    port: int
    addresses: list[str]
    """One at least."""
    dns_ms: float


class Lent:
    """What pycurl takes a duplicate of: ours is closed when it lets go."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor that pycurl duplicates."""
        return self._descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)


class Gate:
    """Opens the sockets of one transfer at a time, to permitted addresses only."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self.forget()

    def forget(self) -> None:
        """For the next transfer."""
        self.refused = ""
        self.opened = ""
        self.fault: OSError | None = None

    def open(self, _purpose: int, peer: Any) -> Lent | int:
        """libcurl's OPENSOCKETFUNCTION: it sees the numeric peer, so no trick with names passes it."""
        address, port = peer.addr[:2]
        if not self._policy.permits(address, port):
            self.refused = address
            return pycurl.SOCKET_BAD
        self.opened = address
        try:
            return Lent(socket.socket(peer.family, peer.socktype, peer.protocol).detach())
        except OSError as error:
            self.fault = error
            return pycurl.SOCKET_BAD


class Line:
    """A handle and its gate, for one transfer at a time."""

    def __init__(self, policy: AddressPolicy, always: Iterable[Option]) -> None:
        self.handle = pycurl.Curl()
        self.gate = Gate(policy)
        self.handle.setopt(pycurl.OPENSOCKETFUNCTION, self.gate.open)
        for option, value in always:
            self.handle.setopt(option, value)


class Curl:
    """libcurl on the running loop, under one address policy. Use it as an async context manager.

    A User-Agent among a request's own headers takes precedence over `user_agent`. Raises `BadSetting`
    where `UPQUORUM_CA_FILE` cannot be used.
    """

    def __init__(self, policy: AddressPolicy, user_agent: str = USER_AGENT) -> None:
        self.policy = policy
        trusted = [(pycurl.CAINFO, file)] if (file := ca_file()) else []
        self._always = (*ALWAYS, *trusted, (pycurl.USERAGENT, user_agent))
        self.user_agent = user_agent
        self.resolver = Resolver()
        self.sockets = Sockets(policy)
        self._multi = Multi()
        self._idle: dict[Kind, list[Line]] = {}
        self._idle_count = 0

    async def __aenter__(self) -> Curl:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.resolver.close()
        self._multi.close()
        self.sockets.close()

    async def find(
        self, host: str, port: int, timeout_ms: float, ip_version: IpVersion | None = None
    ) -> Found | Measurement:
        """Where `host` is; or what was measured, if that is nowhere."""
        started = time.monotonic()
        try:
            addresses = await self.resolver.lookup(host, port, timeout_ms, ip_version)
        except (Unresolvable, ResolverBusy) as error:
            return unresolved(error.error_class, str(error), ms_since(started))
        return Found(host, port, addresses, ms_since(started))

    async def transfer(
        self,
        url: str,
        host: str,
        port: int,
        timeout_ms: float,
        options: Sequence[Option] = (),
        ip_version: IpVersion | None = None,
        inspect: Inspect | None = None,
    ) -> Measurement:
        """One transfer of `url`, whose host and port are given too; `timeout_ms` covers all of it.

        Trouble is a class in the measurement, never an exception.
        """
        found = await self.find(host, port, timeout_ms, ip_version)
        if isinstance(found, Measurement):
            return found
        return await self.transfer_to(found, url, timeout_ms, options, inspect)

    async def transfer_to(
        self,
        found: Found,
        url: str,
        timeout_ms: float,
        options: Sequence[Option] = (),
        inspect: Inspect | None = None,
    ) -> Measurement:
        """One transfer of `url`, whose host was found. What is left of `timeout_ms` covers it.

        `options` are libcurl's; `inspect` is given the handle at the end.
        """
        kind = tuple([option for option, _ in options])
        line = self._line(kind)
        handle, gate = line.handle, line.gate
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.TIMEOUT_MS, max(1, int(timeout_ms - found.dns_ms)))
        for option, value in options:
            handle.setopt(option, value)
        if found.host not in found.addresses:
            addresses = ",".join(map(bracketed, found.addresses))
            handle.setopt(pycurl.RESOLVE, [f"+{found.host}:{found.port}:{addresses}"])
        measurement = _measure(handle, gate, found.dns_ms, *await self._multi.perform(handle))
        if inspect:
            inspect(handle)
        self._keep(line, kind)
        return measurement

    def _line(self, kind: Kind) -> Line:
        """One on which nothing was set that will not be set again."""
        if idle := self._idle.get(kind):
            self._idle_count -= 1
            return idle.pop()
        return Line(self.policy, self._always)

    def _keep(self, line: Line, kind: Kind) -> None:
        if self._idle_count < IDLE_LINES and HARMLESS.issuperset(kind):
            line.gate.forget()
            self._idle.setdefault(kind, []).append(line)
            self._idle_count += 1


def _measure(handle: pycurl.Curl, gate: Gate, dns_ms: float, code: int, message: str) -> Measurement:
    error_class, error = (None, "") if code == pycurl.E_OK else _classify(handle, gate, code, message)
    return Measurement(
        error_class=error_class,
        error=error[:MAX_ERROR_CHARS],
        status_code=handle.getinfo(pycurl.RESPONSE_CODE) or None,
        address=gate.opened or gate.refused,
        timings=_timings(handle, dns_ms),
    )


def _classify(handle: pycurl.Curl, gate: Gate, code: int, message: str) -> tuple[ErrorClass, str]:
    if gate.fault:
        return ErrorClass.INTERNAL, str(gate.fault)
    if gate.refused and not gate.opened:
        return blocked(gate.refused)
    if code == pycurl.E_COULDNT_CONNECT:
        number = handle.getinfo(pycurl.OS_ERRNO)
        return CONNECT_ERRNOS.get(number, ErrorClass.UNREACHABLE), os.strerror(number) if number else message
    if code == pycurl.E_OPERATION_TIMEDOUT:
        is_connected = handle.getinfo(pycurl.CONNECT_TIME_T) > 0
        return ErrorClass.TIMEOUT if is_connected else ErrorClass.CONNECT_TIMEOUT, message
    if code == pycurl.E_PEER_FAILED_VERIFICATION:
        is_expired = handle.getinfo(pycurl.SSL_VERIFYRESULT) == X509_V_ERR_CERT_HAS_EXPIRED
        return ErrorClass.CERT_EXPIRED if is_expired else ErrorClass.CERT_INVALID, message
    if code == pycurl.E_RECV_ERROR and "chunk" in message:  # the one way to tell it from a reset
        return ErrorClass.PROTOCOL, message
    if (
        code in (pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR) and "SETTINGS" in message
    ):  # it is no HTTP/2 that came
        return ErrorClass.PROTOCOL, message
    return CURL_CODES.get(code, ErrorClass.INTERNAL), message


def _timings(handle: pycurl.Curl, dns_ms: float) -> Timings:
    """libcurl's instants (µs since its start, 0 for not reached) as phases; ours is the DNS."""
    looked_up, connected, secured, first_byte, total = map(handle.getinfo, INSTANTS)
    return Timings(
        total_ms=round(dns_ms + total / 1000, 3),
        dns_ms=dns_ms,
        connect_ms=_phase_ms(looked_up, connected),
        tls_ms=_phase_ms(connected, secured),
        ttfb_ms=_phase_ms(secured or connected, first_byte),
        download_ms=_phase_ms(first_byte, total) if first_byte else None,
    )


def _phase_ms(begin_us: int, end_us: int) -> float | None:
    return (end_us - begin_us) / 1000 if end_us else None
