"""UDP: nothing at the address rejects a datagram."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from probes.curl import Curl
from probes.errors import Fault
from probes.exchange import Peer, dial, exchange
from probes.measurement import Measurement
from probes.messages import UdpTarget
from probes.url import parse_host

SILENCE_SECONDS = 2.0
"""A rejection comes within a round trip; who has not been rejected by then is up."""


async def probe_udp(target: UdpTarget, timeout_ms: int, curl: Curl) -> Measurement:
    """Sends one datagram. A reply or silence is up, an ICMP error is down (RFC 1122 section 4.1.3.3)."""

    async def talk(address: str) -> Fault | None:
        with dial(address, target.port) as connected, suppress(TimeoutError):
            connected.send(target.payload.encode())
            async with asyncio.timeout(SILENCE_SECONDS):
                await asyncio.get_running_loop().sock_recv(connected, 1)
        return None

    peer = Peer(parse_host(target.host), target.port, curl.policy, target.ip_version)
    return await exchange(peer, curl.resolver, timeout_ms, talk, silence=None)
