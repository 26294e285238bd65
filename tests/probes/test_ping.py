"""The ping probe, with real ICMP where this machine allows it."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys

import pytest

from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.messages import PingTarget
from probes.protocols import ping
from tests.probes.asking import look_at
from tests.timing import keeps

AS_NOBODY = """
import os
from probes.guard import AddressPolicy
from probes.messages import PingTarget
from tests.probes.asking import look_at
os.setgroups([]); os.setgid(65534); os.setuid(65534)
measured = look_at(PingTarget(host="127.0.0.1"), AddressPolicy.of(["127.0.0.0/8"]))
print(measured.error_class, measured.error, sep="|")
"""


def may_ping() -> bool:
    try:
        ping._socket("127.0.0.1").close()
    except PermissionError:
        return False
    return True


needs_right = pytest.mark.skipif(not may_ping(), reason="no right to open ICMP sockets")


@needs_right
@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_a_host_that_answers_is_up(loopback: AddressPolicy, host: str) -> None:
    measured = look_at(PingTarget(host=host), loopback)
    assert (measured.error_class, measured.error) == (None, "")
    assert (measured.timings.ttfb_ms or 0) > 0


@needs_right
def test_nothing_is_sent_to_a_refused_address() -> None:
    measured = look_at(PingTarget(host="127.0.0.1"), AddressPolicy())
    assert (measured.error_class, measured.address) == (ErrorClass.BLOCKED, "127.0.0.1")


@needs_right
def test_silence_meets_the_deadline(loopback: AddressPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ping, "_is_reply", lambda *_: False)
    measured = look_at(PingTarget(host="127.0.0.1"), loopback, timeout_ms=150)
    assert measured.error_class == ErrorClass.TIMEOUT
    assert keeps(150, measured.timings.total_ms)


def test_a_region_without_the_right_says_which(
    loopback: AddressPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> socket.socket:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(ping, "dial", forbidden)
    measured = look_at(PingTarget(host="127.0.0.1"), loopback)
    assert measured.error_class == ErrorClass.INTERNAL
    assert "net.ipv4.ping_group_range" in measured.error
    assert "CAP_NET_RAW" in measured.error


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_nobody_pings_or_is_told_why() -> None:
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=True)
    error_class, error = done.stdout.strip().split("|")
    assert error_class == "None" or (error_class == "internal" and "ping_group_range" in error)


@pytest.mark.parametrize(
    ("packet", "checksum"),
    [(bytes.fromhex("0800000000010001"), 0xF7FD), (bytes.fromhex("0800000012340001") + b"ab", 0x8468)],
)
def test_the_checksum_of_rfc_1071(packet: bytes, checksum: int) -> None:
    assert ping._checksum(packet) == checksum


def test_only_the_reply_to_our_own_request_counts() -> None:
    token = b"t" * ping.TOKEN_BYTES
    request = ping._echo_request("127.0.0.1", token)
    assert not ping._is_reply(request, "127.0.0.1", token)
    assert ping._is_reply(b"\0" + request[1:], "127.0.0.1", token)
    assert not ping._is_reply(b"\0" + request[1:], "127.0.0.1", b"u" * ping.TOKEN_BYTES)
    assert ping._is_reply(b"\x81" + request[1:], "::1", token)
    assert not ping._is_reply(b"", "::1", token)
