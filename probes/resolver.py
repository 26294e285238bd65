"""Names to addresses for many probes at once, fairly.

libcurl has a resolver, but its pool is 20 threads (the multi option that changes it is not in pycurl):
20 targets with a dead name server would make every other target look unresolvable. Here the pool is
larger, and a lookup that never got its turn is told apart from one that got no answer.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from probes.errors import ErrorClass
from probes.messages import IpVersion
from probes.resolve import Unresolvable, resolve

THREADS = 256


class ResolverBusy(Exception):
    """Every thread was taken until the deadline: our own fault, not the target's."""

    error_class = ErrorClass.INTERNAL


class Resolver:
    """Resolves names in threads, which are started when they are first needed."""

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def lookup(
        self, host: str, port: int, timeout_ms: float, ip_version: IpVersion | None = None
    ) -> list[str]:
        """The addresses of `host`, of one version if it is given. An address needs no thread.

        Raises `Unresolvable`, or `ResolverBusy`.
        """
        addresses = [host] if is_address(host) else await self._lookup_name(host, port, timeout_ms)
        if ip_version is None:
            return addresses
        found = [address for address in addresses if ip_version_of(address) == ip_version]
        if not found:
            raise Unresolvable(f"the host has no IPv{ip_version} address")
        return found

    async def _lookup_name(self, host: str, port: int, timeout_ms: float) -> list[str]:
        future = self._pool.submit(resolve, host, port)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout_ms / 1000)
        except TimeoutError:
            if future.cancelled():  # only what has not begun can be cancelled
                raise ResolverBusy("no resolver thread was free in time") from None
            raise Unresolvable("no answer from the name server in time") from None

    def close(self) -> None:
        """Takes no more lookups, and waits for none."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def ip_version_of(address: str) -> IpVersion:
    """4 or 6, of a numeric address."""
    return 6 if ":" in address else 4


@lru_cache(maxsize=10_000)  # the same ones are probed again and again
def is_address(host: str, ip_version: IpVersion | None = None) -> bool:
    """Whether `host` is a numeric address, of the version if one is given."""
    if ip_version not in (None, ip_version_of(host)):
        return False
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):  # the latter for what is no text of C's
        return False
    return True
