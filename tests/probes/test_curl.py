"""The guard at the socket, errors of the connection, and what cancelling leaves behind."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import SimpleNamespace

import pycurl
import pytest
import uvloop

from probes.curl import Curl, Gate, Option
from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.measurement import Measurement
from tests.probes.listeners import Listener, answer, response
from tests.timing import keeps


def transfer(
    policy: AddressPolicy, host: str, port: int, *options: Option, timeout_ms: int = 2000
) -> Measurement:
    async def once() -> Measurement:
        async with Curl(policy) as curl:
            return await curl.transfer(f"http://{host}:{port}/", host.strip("[]"), port, timeout_ms, options)

    return uvloop.run(once())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0"],
)
def test_a_refused_address_is_never_connected_to(listener: Listener, host: str) -> None:
    measured = transfer(AddressPolicy(), host, listener.port)
    assert measured.error_class == ErrorClass.BLOCKED
    assert measured.address in measured.error
    assert listener.count() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "localhost", "[::ffff:127.0.0.1]"])
def test_an_allowed_address_is_connected_to(listener: Listener, loopback: AddressPolicy, host: str) -> None:
    assert transfer(loopback, host, listener.port).error_class is None
    assert listener.count() == 1


def test_a_permitted_address_counts_even_if_another_is_refused(listener: Listener) -> None:
    """localhost is ::1 too, which is not allowed here."""
    measured = transfer(AddressPolicy.of(["127.0.0.0/8"]), "localhost", listener.port)
    assert (measured.error_class, measured.address) == (None, "127.0.0.1")


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://{}/", "gopher://{}/", "dict://{}/", "ws://{}/"]
)
def test_no_other_protocol_is_spoken(listener: Listener, loopback: AddressPolicy, url: str) -> None:
    option = (pycurl.URL, url.format(f"127.0.0.1:{listener.port}"))
    assert transfer(loopback, "127.0.0.1", listener.port, option).error_class == ErrorClass.PROTOCOL
    assert listener.count() == 0


def test_a_refused_connection(loopback: AddressPolicy, closed_port: int) -> None:
    measured = transfer(loopback, "127.0.0.1", closed_port)
    assert (measured.error_class, measured.error) == (ErrorClass.REFUSED, "Connection refused")
    assert measured.address == "127.0.0.1"
    assert measured.timings.connect_ms is None


def test_a_name_that_does_not_resolve(loopback: AddressPolicy) -> None:
    measured = transfer(loopback, f"{'a' * 64}.example", 80)
    assert measured.error_class == ErrorClass.DNS
    assert measured.timings.dns_ms == measured.timings.total_ms


def test_a_server_that_says_nothing(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = listener.hang
    measured = transfer(loopback, "127.0.0.1", listener.port, timeout_ms=100)
    assert measured.error_class == ErrorClass.TIMEOUT
    assert keeps(100, measured.timings.total_ms)


def test_no_socket_to_be_had_is_our_own_fault(
    monkeypatch: pytest.MonkeyPatch, loopback: AddressPolicy
) -> None:
    peer = SimpleNamespace(addr=("127.0.0.1", 80), family=9999, socktype=1, protocol=6)
    gate = Gate(loopback)
    assert gate.open(0, peer) == pycurl.SOCKET_BAD
    assert gate.fault is not None


def test_cancelling_closes_every_connection(listener: Listener, loopback: AddressPolicy) -> None:
    arrived, left = threading.Semaphore(0), threading.Semaphore(0)

    def until_the_client_leaves(connection: socket.socket, _: bytes) -> None:
        arrived.release()
        if connection.recv(1) == b"":
            left.release()

    def all_ten(semaphore: threading.Semaphore) -> bool:
        return all(semaphore.acquire(timeout=5) for _ in range(10))

    async def cancel_ten() -> Measurement:
        loop = asyncio.get_running_loop()
        async with Curl(loopback) as curl:
            listener.script = until_the_client_leaves
            transfers = [curl.transfer(listener.url, "127.0.0.1", listener.port, 20_000) for _ in range(10)]
            tasks = [asyncio.create_task(one) for one in transfers]
            assert await loop.run_in_executor(None, all_ten, arrived)
            for task in tasks:
                task.cancel()
            assert await loop.run_in_executor(None, all_ten, left)
            listener.script = answer(response())
            return await curl.transfer(listener.url, "127.0.0.1", listener.port, 2000)

    assert uvloop.run(cancel_ten()).error_class is None


def test_handles_are_reused_without_what_was_set_before(listener: Listener, loopback: AddressPolicy) -> None:
    async def twice() -> Measurement:
        async with Curl(loopback) as curl:
            options = [(pycurl.HTTPHEADER, ["X-Secret: 1"]), (pycurl.CUSTOMREQUEST, "PATCH")]
            await curl.transfer(listener.url, "127.0.0.1", listener.port, 2000, options)
            return await curl.transfer(listener.url, "127.0.0.1", listener.port, 2000)

    assert uvloop.run(twice()).error_class is None
    assert listener.requests[1].startswith(b"GET ")
    assert b"X-Secret" not in listener.requests[1]
    assert listener.count() == 2


def test_a_reused_handle_says_nothing_of_its_last_transfer(
    listener: Listener, loopback: AddressPolicy, closed_port: int
) -> None:
    async def one_after_another() -> list[Measurement]:
        async with Curl(loopback) as curl:
            peers = [("127.0.0.1", listener.port), ("127.0.0.1", closed_port), ("10.0.0.1", 80)]
            return [
                await curl.transfer(f"http://{host}:{port}/", host, port, 2000)
                for host, port in (*peers, peers[0])
            ]

    first, refused, blocked, again = uvloop.run(one_after_another())
    assert (first.error_class, again.error_class) == (None, None)
    assert (refused.error_class, refused.status_code) == (ErrorClass.REFUSED, None)
    assert refused.timings.connect_ms is None
    assert (blocked.error_class, blocked.address) == (ErrorClass.BLOCKED, "10.0.0.1")
    assert blocked.status_code is None
    assert first.status_code == again.status_code == 200


def test_no_idle_handle_holds_what_a_customer_sent(listener: Listener, loopback: AddressPolicy) -> None:
    async def kinds() -> list[tuple[int, ...]]:
        async with Curl(loopback) as curl:
            secrets: list[Option] = [(pycurl.HTTPHEADER, ["X-Secret: 1"]), (pycurl.POSTFIELDS, b"x")]
            for option in (*secrets, (pycurl.NOBODY, 1)):
                await curl.transfer(listener.url, "127.0.0.1", listener.port, 2000, [option])
            return list(curl._idle)

    assert uvloop.run(kinds()) == [(pycurl.NOBODY,)]


def test_the_user_agent_is_the_curls_unless_a_request_has_its_own(
    listener: Listener, loopback: AddressPolicy
) -> None:
    async def twice() -> None:
        async with Curl(loopback, "ours/1") as curl:
            for headers in ([], ["User-Agent: theirs/1"]):
                options = [(pycurl.HTTPHEADER, headers)]
                await curl.transfer(listener.url, "127.0.0.1", listener.port, 2000, options)

    uvloop.run(twice())
    first, second = listener.requests
    assert b"User-Agent: ours/1\r\n" in first
    assert b"User-Agent: theirs/1\r\n" in second
    assert b"ours" not in second
