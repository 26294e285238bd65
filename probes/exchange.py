"""Probes that talk over a socket of their own: resolve, guard, talk, classify, within one deadline."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from probes.errors import CONNECT_ERRNOS, ErrorClass, Fault, blocked
from probes.guard import AddressPolicy
from probes.measurement import Measurement, Timings, ms_since, unresolved
from probes.messages import IpVersion
from probes.resolve import Unresolvable
from probes.resolver import Resolver, ResolverBusy

IP_RECVERR, IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h: without names in the socket module
REPORT_ERRORS = {
    socket.AF_INET: (socket.IPPROTO_IP, IP_RECVERR),
    socket.AF_INET6: (socket.IPPROTO_IPV6, IPV6_RECVERR),
}
TIMED_OUT = Fault(ErrorClass.TIMEOUT, "no answer before the deadline")

MAX_DATAGRAM_BYTES = 65_535

Taken = TypeVar("Taken")
Talk = Callable[[str], Awaitable[Fault | None]]
"""Talks to a numeric address; None: all is well. May raise `OSError`, and is ended at the deadline."""


@dataclass(frozen=True)
class Peer:
    """Whom to talk to, and the policy that its address has to pass."""

    host: str
    port: int
    policy: AddressPolicy
    ip_version: IpVersion | None = None


async def exchange(
    peer: Peer, resolver: Resolver, timeout_ms: float, talk: Talk, silence: Fault | None = TIMED_OUT
) -> Measurement:
    """What `talk` found at the first address of `peer`; `silence` is what it means that time ran out.

    Trouble is a class in the measurement, never an exception. The time of the talk is `ttfb_ms`.
    """
    started = time.monotonic()
    try:
        found = await resolver.lookup(peer.host, peer.port, timeout_ms, peer.ip_version)
    except (Unresolvable, ResolverBusy) as error:
        return unresolved(error.error_class, str(error), ms_since(started))
    address, dns_ms = found[0], ms_since(started)
    if not peer.policy.permits(address, peer.port):
        error_class, error_text = blocked(address)
        return Measurement(error_class=error_class, error=error_text, address=address)
    fault = await _talked(talk, address, (timeout_ms - dns_ms) / 1000, silence)
    total_ms = ms_since(started)
    return Measurement(
        error_class=fault.error_class if fault else None,
        error=fault.error if fault else "",
        address=address,
        timings=Timings(total_ms=total_ms, dns_ms=dns_ms, ttfb_ms=round(total_ms - dns_ms, 3)),
    )


def dial(address: str, port: int, kind: int = socket.SOCK_DGRAM, protocol: int = 0) -> socket.socket:
    """A datagram socket for just this address, on which ICMP errors fail the next call (ip(7))."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setblocking(False)
        opened.setsockopt(*REPORT_ERRORS[family], 1)
        opened.connect((address, port))
    except OSError:
        opened.close()
        raise
    return opened


async def receive(connected: socket.socket, take: Callable[[bytes], Taken | None]) -> Taken:
    """What `take` makes of the first datagram that it does not pass over with None."""
    loop = asyncio.get_running_loop()
    while (taken := take(await loop.sock_recv(connected, MAX_DATAGRAM_BYTES))) is None:
        pass  # each datagram takes a turn of the loop, so that a flood stops neither others nor the deadline
    return taken


async def _talked(talk: Talk, address: str, timeout_seconds: float, silence: Fault | None) -> Fault | None:
    try:
        async with asyncio.timeout(timeout_seconds):
            return await talk(address)
    except TimeoutError:
        return silence
    except OSError as error:
        number = error.errno or 0
        return Fault(CONNECT_ERRNOS.get(number, ErrorClass.UNREACHABLE), os.strerror(number))
