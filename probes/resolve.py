"""Names to addresses, blocking: for the moment a monitor or webhook is created.

What a name resolves to then is only for an early, friendly refusal. It may resolve to something else
a second later; the decision that counts is made at connect, in `probes.curl`.
"""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

from probes.errors import ErrorClass
from probes.guard import AddressPolicy

THREADS = 256
"""Of one process. A lookup that got no answer in time keeps its own until getaddrinfo gives up."""
TIMEOUT_SECONDS = 2.0

POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="lookup")


class Unresolvable(Exception):
    """A host that has no address now; the text says why."""

    error_class = ErrorClass.DNS


class Blocked(Exception):
    """A host with an address that the policy refuses."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not a public address")
        self.address = address


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host`, each once, in the order to try them; raises `Unresolvable`.

    Takes every spelling that getaddrinfo takes, as libcurl would: `127.1`, `2130706433`, `0x7f000001`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unresolvable(error.strerror or str(error)) from error
    except UnicodeError as error:
        raise Unresolvable("the name cannot be encoded") from error
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def resolve_in_time(host: str, port: int) -> list[str]:
    """As `resolve`, but `Unresolvable` after `TIMEOUT_SECONDS`, in which no thread may have become free.

    Whoever runs a name server decides how long it is silent, and the caller has others to answer.
    """
    lookup = POOL.submit(resolve, host, port)
    try:
        return lookup.result(TIMEOUT_SECONDS)
    except TimeoutError:
        lookup.cancel()  # where it has not begun nobody waits for it any more
        raise Unresolvable("no answer from the name server in time") from None


def check_host(host: str, port: int, policy: AddressPolicy) -> list[str]:
    """The addresses of `host`; raises `Blocked` if one is refused, `Unresolvable` as `resolve_in_time`."""
    addresses = resolve_in_time(host, port)
    for address in addresses:
        if not policy.permits(address, port):
            raise Blocked(address)
    return addresses
