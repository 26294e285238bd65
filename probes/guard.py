"""The one address guard: which numeric addresses may be connected to.

The lists are our own. `ipaddress.is_global` lets NAT64 of a metadata address, `::127.0.0.1` and
multicast through, `is_private` lets 100.64.0.0/10 through, and both change between Python versions.
Sources: the IANA IPv4 and IPv6 special-purpose address registries; RFC 4291 section 2.5.5 (mapped and
compatible addresses), RFC 2765 (SIIT), RFC 6052 (NAT64).
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from probes import env

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

DENIED_V4 = tuple(
    IPv4Network(cidr)
    for cidr in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; Alibaba's metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's platform service, on a public address
        "169.254.0.0/16",  # link-local; the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved; broadcast
    )
)
GLOBAL_V6 = IPv6Network("2000::/3")
DENIED_V6 = tuple(
    IPv6Network(cidr)
    for cidr in (
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 embeds any IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
TRANSLATED_V6 = tuple(
    IPv6Network(cidr)
    for cidr in (
        "::/96",  # IPv4-compatible
        "::ffff:0:0:0/96",  # SIIT
        "64:ff9b::/96",  # NAT64
    )
)
DEFAULT_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}
NOT_TRANSLATED = (IPv6Address("::"), IPv6Address("::1"))


@dataclass(frozen=True, eq=False)  # hashed by identity: to hash networks costs more than the answer
class AddressPolicy:
    """Public addresses are permitted, and those in `allowed`; nothing else is, and nothing in `own`."""

    allowed: Sequence[Network] = ()
    own: Collection[tuple[Address, int]] = frozenset()
    """Our database and broker, by address and port: whoever may be monitored, these may not."""

    @classmethod
    def of(cls, cidrs: Iterable[str]) -> AddressPolicy:
        """The policy that also allows `cidrs`; raises `ValueError` for what is not a network."""
        return cls(tuple(map(ip_network, cidrs)))

    def permits(self, address: str, port: int) -> bool:
        """Whether this port of `address`, a numeric IPv4 or IPv6 address, may be connected to.

        What is not an address, or carries a zone id, may not. An address that a translator would turn
        into an IPv4 address is judged by that one, and has to be in `allowed`.
        """
        return _permits(address, self) and not (self.own and _is_own(address, port, self))


def configured_policy(servers: Mapping[str, str]) -> AddressPolicy:
    """What the operator allows, but none of our own `servers`: URLs by their settings, resolved now.

    Raises `BadSetting`, also for a name that does not resolve: nothing would keep off its server later on.
    """
    allowed = networks(env.words("ALLOWED_TARGETS"), f"{env.PREFIX}ALLOWED_TARGETS")
    own = (endpoint for name, url in servers.items() for endpoint in _endpoints(name, url))
    return AddressPolicy(allowed, frozenset(own))


def networks(cidrs: Iterable[str], source: str) -> tuple[Network, ...]:
    """The networks that `source`, a setting or a file, lists; raises `BadSetting`, which names it."""
    try:
        return tuple(map(ip_network, cidrs))
    except ValueError as error:
        raise env.BadSetting(f"{source}: {error}") from error


ANYWHERE = AddressPolicy((IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))
"""For what the operator chose and no customer did, which may be private."""


@lru_cache(maxsize=4096)
def _permits(text: str, policy: AddressPolicy) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        if _is_translated(address):
            return _within(IPv4Address(int(address) & 0xFFFF_FFFF), policy.allowed)
        address = address.ipv4_mapped or address
    return _within(address, policy.allowed) or _is_public(address)


def _is_translated(address: IPv6Address) -> bool:
    return address not in NOT_TRANSLATED and _within(address, TRANSLATED_V6)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not _within(address, DENIED_V4)
    return address in GLOBAL_V6 and not _within(address, DENIED_V6)


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _endpoints(setting: str, url: str) -> Iterator[tuple[Address, int]]:
    """Where a server of ours is reached: nowhere, if by a Unix socket. Raises `BadSetting`."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    if not parts.hostname or not port:
        return
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        why = f"the name {parts.hostname!r} does not resolve: {error}"
        raise env.BadSetting(f"{env.PREFIX}{setting}: {why}") from error
    for *_, peer in found:
        yield _plain(ip_address(peer[0])), port


@lru_cache(maxsize=4096)
def _is_own(text: str, port: int, policy: AddressPolicy) -> bool:
    """A server that is bound to any loopback address may be bound to all of them."""
    address = _plain(ip_address(text))
    return (address, port) in policy.own or (
        address.is_loopback and any(port == other and at.is_loopback for at, other in policy.own)
    )


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or itself."""
    if not isinstance(address, IPv6Address):
        return address
    if _is_translated(address):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address
