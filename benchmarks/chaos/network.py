"""A broker on a network of its own, so that packets to it can be dropped, for one region or for all.

Every region reaches the broker by an address of its own. It takes root, iproute2 and iptables.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

CORE = "core"


class Network:
    """A network namespace, and the addresses in it by who uses them."""

    def __init__(self, users: Sequence[str]) -> None:
        self.name = f"upq{os.getpid()}"
        self.subnet = f"10.{os.getpid() % 250}.{os.getpid() // 250 % 250}"
        self.addresses = {user: f"{self.subnet}.{number + 2}" for number, user in enumerate((CORE, *users))}

    def open(self) -> None:
        """Make the namespace, and the link to it."""
        inside, outside = f"{self.name}i", f"{self.name}o"
        _ip("netns", "add", self.name)
        _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", self.name)
        _ip("addr", "add", f"{self.subnet}.1/24", "dev", outside)
        _ip("link", "set", outside, "up")
        for address in self.addresses.values():
            _ip("-n", self.name, "addr", "add", f"{address}/24", "dev", inside)
        _ip("-n", self.name, "link", "set", inside, "up")
        _ip("-n", self.name, "link", "set", "lo", "up")

    def close(self) -> None:
        """Remove all of it."""
        _ip("netns", "del", self.name)

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command line that runs `command` in the namespace."""
        return ["ip", "netns", "exec", self.name, *command]

    def cut(self, *users: str) -> None:
        """Drop, from now on, every packet to the addresses of `users`."""
        for user in users:
            _run(*self.inside(["iptables", "-I", "INPUT", "-d", self.addresses[user], "-j", "DROP"]))

    def heal(self) -> None:
        """Drop nothing any more."""
        _run(*self.inside(["iptables", "-F", "INPUT"]))


def is_possible() -> bool:
    """Whether this user on this machine may make one."""
    return os.geteuid() == 0 and all(map(shutil.which, ("ip", "iptables")))


@contextmanager
def opened(users: Sequence[str]) -> Iterator[Network | None]:
    """A network that ends with the block; None where it is not possible."""
    if not is_possible():
        yield None
        return
    network = Network(users)
    network.open()
    try:
        yield network
    finally:
        network.close()


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
