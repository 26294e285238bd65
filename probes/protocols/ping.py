"""Ping: the host answers an ICMP echo request."""

from __future__ import annotations

import os
import socket
import struct

from probes.curl import Curl
from probes.errors import ErrorClass, Fault
from probes.exchange import Peer, dial, exchange, receive
from probes.measurement import Measurement
from probes.messages import PingTarget
from probes.url import parse_host

TOKEN_BYTES = 16
NO_RIGHT = Fault(
    ErrorClass.INTERNAL,
    "ping needs ICMP sockets: a group in net.ipv4.ping_group_range, or the capability CAP_NET_RAW",
)


async def probe_ping(target: PingTarget, timeout_ms: int, curl: Curl) -> Measurement:
    """One echo request, one echo reply (RFC 792, RFC 4443); a region without the right is an `error`."""

    async def talk(address: str) -> Fault | None:
        try:
            connected = _socket(address)
        except PermissionError:
            return NO_RIGHT
        with connected:
            token = os.urandom(TOKEN_BYTES)
            connected.send(_echo_request(address, token))
            await receive(
                connected, lambda packet: _is_reply(_message(packet, connected), address, token) or None
            )
        return None

    peer = Peer(parse_host(target.host), 0, curl.policy, target.ip_version)
    return await exchange(peer, curl.resolver, timeout_ms, talk)


def _socket(address: str) -> socket.socket:
    """An unprivileged ICMP socket (icmp(7)) where that is allowed, else a raw one; may not be at all."""
    protocol = socket.IPPROTO_ICMPV6 if ":" in address else socket.IPPROTO_ICMP
    try:
        return dial(address, 0, socket.SOCK_DGRAM, protocol)
    except PermissionError:
        return dial(address, 0, socket.SOCK_RAW, protocol)


def _echo_request(address: str, token: bytes) -> bytes:
    """Type, code, checksum, identifier, sequence number; the kernel fills in what it knows better."""
    kind = 128 if ":" in address else 8
    bare = struct.pack("!BBHHH", kind, 0, 0, os.getpid() & 0xFFFF, 1) + token
    return bare[:2] + struct.pack("!H", _checksum(bare)) + bare[4:]


def _checksum(packet: bytes) -> int:
    """The one's complement of the one's complement sum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _message(packet: bytes, connected: socket.socket) -> bytes:
    """The ICMP message; a raw IPv4 socket puts the IP header before it."""
    has_header = connected.type == socket.SOCK_RAW and connected.family == socket.AF_INET
    return packet[(packet[0] & 0x0F) * 4 :] if has_header else packet


def _is_reply(message: bytes, address: str, token: bytes) -> bool:
    """A raw socket also gets what others were answered and, from ourselves, the request."""
    return message[:1] == (b"\x81" if ":" in address else b"\x00") and message[8:] == token
