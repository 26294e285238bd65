"""Names to addresses, blocking: for the moment a monitor or webhook is created.

What a name resolves to then is only for an early, friendly refusal. It may resolve to something else
a second later; the decision that counts is made at connect, in `probes.curl`.
"""

from __future__ import annotations

import socket

from probes.errors import ErrorClass
from probes.guard import AddressPolicy


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


def check_host(host: str, port: int, policy: AddressPolicy) -> None:
    """Raises `Blocked` if any address of `host` is refused, `Unresolvable` if it has none."""
    for address in resolve(host, port):
        if not policy.permits(address, port):
            raise Blocked(address)
