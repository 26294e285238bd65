"""The UDP probe, against real ports."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.messages import UdpTarget
from probes.protocols import udp
from tests.probes.asking import look_at
from tests.timing import STALL_MS, keeps


@pytest.fixture
def port() -> Iterator[socket.socket]:
    """A bound UDP socket on 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def number_of(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])


@pytest.fixture
def is_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence counts only after longer than any test waits."""
    monkeypatch.setattr(udp, "SILENCE_SECONDS", 60)


@pytest.mark.usefixtures("is_patient")
def test_a_reply_is_up_at_once(port: socket.socket, loopback: AddressPolicy) -> None:
    def reply() -> None:
        datagram, peer = port.recvfrom(100)
        port.sendto(datagram * 2, peer)

    thread = threading.Thread(target=reply)
    thread.start()
    target = UdpTarget(host="localhost", port=number_of(port), payload="hä", ip_version=4)
    measured = look_at(target, loopback, timeout_ms=60_000)
    thread.join()
    assert (measured.error_class, measured.address) == (None, "127.0.0.1")
    assert measured.timings.total_ms < STALL_MS


def test_silence_is_up_when_a_rejection_would_have_come(
    port: socket.socket, loopback: AddressPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "SILENCE_SECONDS", 0.1)
    measured = look_at(UdpTarget(host="127.0.0.1", port=number_of(port)), loopback, timeout_ms=60_000)
    assert measured.error_class is None
    assert keeps(100, measured.timings.total_ms)
    assert port.recv(100) == b""


@pytest.mark.usefixtures("is_patient")
def test_silence_until_the_deadline_is_up_as_well(port: socket.socket, loopback: AddressPolicy) -> None:
    measured = look_at(UdpTarget(host="127.0.0.1", port=number_of(port)), loopback, timeout_ms=100)
    assert measured.error_class is None
    assert keeps(100, measured.timings.total_ms)


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_a_closed_port_is_refused(loopback: AddressPolicy, host: str, family: int) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as once:
        once.bind((host, 0))
        closed = number_of(once)
    measured = look_at(UdpTarget(host=host, port=closed, payload="x"), loopback)
    assert measured.error_class == ErrorClass.REFUSED
    assert measured.error == "Connection refused"


def test_nothing_is_sent_to_a_refused_address(port: socket.socket) -> None:
    measured = look_at(UdpTarget(host="127.0.0.1", port=number_of(port)), AddressPolicy())
    assert measured.error_class == ErrorClass.BLOCKED
    port.setblocking(False)
    with pytest.raises(BlockingIOError):
        port.recv(1)


def test_a_name_that_does_not_resolve_is_down(loopback: AddressPolicy) -> None:
    measured = look_at(UdpTarget(host=f"{'a' * 64}.example", port=9), loopback)
    assert measured.error_class == ErrorClass.DNS


def test_an_address_of_the_wrong_version_is_none(loopback: AddressPolicy) -> None:
    measured = look_at(UdpTarget(host="127.0.0.1", port=9, ip_version=6), loopback)
    assert (measured.error_class, measured.error) == (ErrorClass.DNS, "the host has no IPv6 address")
