"""Talks over sockets of our own: whom they reach, and whom they let run."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
import uvloop

from probes.errors import ErrorClass, Fault
from probes.exchange import Peer, dial, exchange, receive
from probes.guard import AddressPolicy
from probes.measurement import Measurement
from probes.resolver import Resolver
from tests.timing import keeps


def talk_to(peer: Peer, error: Exception | None = None, silence: Fault | None = None) -> Measurement:
    async def talk(_address: str) -> Fault | None:
        if error:
            raise error
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def once() -> Measurement:
        return await exchange(peer, Resolver(), 100, talk, silence)

    return uvloop.run(once())


@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        (ConnectionRefusedError(111, ""), ErrorClass.REFUSED),
        (OSError(113, ""), ErrorClass.UNREACHABLE),
        (OSError("no number"), ErrorClass.UNREACHABLE),
        (OSError(1, ""), ErrorClass.INTERNAL),
    ],
)
def test_an_error_of_the_socket_is_a_class(
    loopback: AddressPolicy, error: OSError, error_class: ErrorClass
) -> None:
    measured = talk_to(Peer("127.0.0.1", 9, loopback), error)
    assert (measured.error_class, measured.address) == (error_class, "127.0.0.1")


@pytest.mark.parametrize("silence", [None, Fault(ErrorClass.TIMEOUT, "silent")])
def test_the_end_of_time_is_what_the_protocol_says(loopback: AddressPolicy, silence: Fault | None) -> None:
    measured = talk_to(Peer("127.0.0.1", 9, loopback), silence=silence)
    assert measured.error_class == (silence.error_class if silence else None)
    assert keeps(100, measured.timings.total_ms)
    assert (measured.timings.ttfb_ms or 0) >= 90


def test_a_refused_address_is_not_talked_to() -> None:
    measured = talk_to(Peer("127.0.0.1", 9, AddressPolicy()), AssertionError("talked"))
    assert (measured.error_class, measured.address) == (ErrorClass.BLOCKED, "127.0.0.1")


def test_a_socket_that_cannot_be_dialled_is_closed() -> None:
    with pytest.raises(OSError, match=r"."):
        dial("255.255.255.255", 9)  # broadcast needs a permission of its own


def test_a_flood_lets_others_run() -> None:
    async def flooded() -> int:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        turns = 0

        async def neighbour() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        with ours, theirs:
            theirs.setblocking(False)
            ours.setblocking(False)
            sent = 0
            with suppress(BlockingIOError):
                while True:
                    theirs.send(b"%d" % sent)
                    sent += 1
            running = asyncio.create_task(neighbour())
            await receive(ours, lambda datagram: datagram == b"%d" % (sent - 1) or None)
            running.cancel()
        return turns - sent

    assert uvloop.run(flooded()) >= -1
