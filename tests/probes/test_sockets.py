"""Connections on one epoll: how they end, are dropped, and what they leave behind."""

from __future__ import annotations

import asyncio
import errno
import gc
import resource
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvloop

from probes import sockets as sockets_module
from probes.connection import Broken, Connection
from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.ready import SelectorPoll
from probes.sockets import Sockets
from tests.probes.listeners import Listener, answer
from tests.timing import keeps

Run = Callable[[Callable[[Sockets], Awaitable[Any]]], Any]


class Words:
    """Reads until it has so many bytes; `end` and `bad` are what it cannot take."""

    def __init__(self, wanted: int = 4, bad: bytes = b"bad") -> None:
        self.got = b""
        self._wanted = wanted
        self._bad = bad

    def feed(self, data: bytes) -> bool:
        self.got += data
        if self._bad in self.got:
            raise Broken(ErrorClass.PROTOCOL, "a bad word")
        return len(self.got) >= self._wanted

    def end(self) -> None:
        raise Broken(ErrorClass.RESET, "the end came early")


class Buggy(Words):
    """Fails as no reader should."""

    def feed(self, data: bytes) -> bool:
        raise ZeroDivisionError


@pytest.fixture(
    params=[(asyncio.run, False), (uvloop.run, False), (uvloop.run, True)],
    ids=["asyncio", "uvloop", "uvloop-without-epoll"],
)
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, loopback: AddressPolicy) -> Run:
    """Runs a function of `Sockets` on either loop, and checks that nothing is left behind."""
    runner, is_elsewhere = request.param
    if is_elsewhere:
        monkeypatch.setattr(sockets_module, "new_poll", SelectorPoll)

    def run(work: Callable[[Sockets], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            sockets = Sockets(loopback)
            try:
                return await work(sockets)
            finally:
                assert not sockets._open
                sockets.close()

        return runner(main())

    return run


async def exchange(
    sockets: Sockets, port: int, reader: Words | None = None, *, seconds: float = 5, host: str = "127.0.0.1"
) -> Connection:
    ended: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    sockets.begin(Connection((host, port), b"hello?", reader or Words(), seconds, ended.set_result))
    return await ended


def connection(port: int, told: list[Connection]) -> Connection:
    """One to a port of ours that is still to begin, and notes that it ended."""
    return Connection(("127.0.0.1", port), b"x", Words(), 5, told.append)


def class_of(connection: Connection) -> ErrorClass | None:
    return connection.fault.error_class if connection.fault else None


def test_many_at_once_all_end(run: Run, listener: Listener) -> None:
    listener.script = answer(b"word")

    async def work(sockets: Sockets) -> list[Connection]:
        return await asyncio.gather(*(exchange(sockets, listener.port) for _ in range(200)))

    connections = run(work)
    assert {connection.fault for connection in connections} == {None}
    assert listener.requests == [b"hello?"] * 200
    assert all(
        0 < each.started_ns < each.connected_ns <= each.first_byte_ns <= each.ended_ns for each in connections
    )


@pytest.mark.parametrize(
    ("text", "error_class"),
    [(b"bad", ErrorClass.PROTOCOL), (b"", ErrorClass.RESET), (b"wor", ErrorClass.RESET)],
)
def test_what_the_reader_cannot_take_is_the_fault(
    run: Run, listener: Listener, text: bytes, error_class: ErrorClass
) -> None:
    listener.script = answer(text)
    assert class_of(run(lambda sockets: exchange(sockets, listener.port))) == error_class


def test_a_reader_that_fails_takes_nobody_with_it(
    run: Run, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    listener.script = answer(b"word")

    async def work(sockets: Sockets) -> list[Connection]:
        readers = [Buggy() if number % 2 else Words() for number in range(20)]
        return await asyncio.gather(*(exchange(sockets, listener.port, reader) for reader in readers))

    classes = list(map(class_of, run(work)))
    assert classes == [None, ErrorClass.INTERNAL] * 10
    assert "ZeroDivisionError" in caplog.text


def test_a_refused_and_a_forbidden_address(run: Run, closed_port: int) -> None:
    async def work(sockets: Sockets) -> list[Connection]:
        return await asyncio.gather(
            *(
                exchange(sockets, closed_port, host=host)
                for host in ("127.0.0.1", "10.0.0.1", "::ffff:10.0.0.1")
            )
        )

    refused, forbidden, disguised = run(work)
    assert class_of(refused) == ErrorClass.REFUSED
    assert refused.connected_ns == 0
    assert class_of(forbidden) == class_of(disguised) == ErrorClass.BLOCKED
    assert forbidden.started_ns == 0


def test_a_reset_is_told(run: Run, listener: Listener) -> None:
    def reset(connection: socket.socket, _: bytes) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    listener.script = reset
    assert class_of(run(lambda sockets: exchange(sockets, listener.port))) == ErrorClass.RESET


@pytest.mark.parametrize("port", ["full_port", "listener"])
def test_the_deadline_ends_it(run: Run, request: pytest.FixtureRequest, port: str) -> None:
    peer = request.getfixturevalue(port)
    if isinstance(peer, Listener):
        peer.script = peer.hang
    number = peer.port if isinstance(peer, Listener) else peer
    begin = time.monotonic()
    ended = run(lambda sockets: exchange(sockets, number, seconds=0.2))
    assert keeps(200, 1000 * (time.monotonic() - begin))
    expected = ErrorClass.TIMEOUT if isinstance(peer, Listener) else ErrorClass.CONNECT_TIMEOUT
    assert class_of(ended) == expected


@pytest.mark.parametrize(("text", "error_class"), [(b"word", None), (b"wor", ErrorClass.TIMEOUT)])
def test_an_answer_that_came_while_we_stood_still_is_one(
    run: Run, listener: Listener, text: bytes, error_class: ErrorClass | None
) -> None:
    standing, sent = threading.Event(), threading.Event()

    def send(connection: socket.socket, _: bytes) -> None:
        standing.wait(5)
        connection.sendall(text)
        sent.set()
        listener.stopping.wait()

    async def work(sockets: Sockets) -> Connection:
        asked = asyncio.ensure_future(exchange(sockets, listener.port))
        while not listener.requests:
            await asyncio.sleep(0)
        standing.set()
        assert sent.wait(5)  # which is the loop that stands still
        sockets._time_out(*sockets._open.values())
        return await asked

    listener.script = send
    assert class_of(run(work)) == error_class


def test_what_is_dropped_is_closed_and_not_told(run: Run, listener: Listener, closed_port: int) -> None:
    told: list[Connection] = []
    listener.script = answer(b"word")

    async def work(sockets: Sockets) -> None:
        ports = [listener.port, closed_port]
        for port in ports:  # before they are dialled
            dropped = connection(port, told)
            sockets.begin(dropped)
            sockets.drop(dropped)
        open_ = connection(listener.port, told)
        sockets.begin(open_)
        await asyncio.sleep(0)
        sockets.drop(open_)
        await exchange(sockets, listener.port)

    run(work)
    assert told == []


def test_a_late_drop_leaves_alone_who_has_the_descriptor_now(run: Run, listener: Listener) -> None:
    listener.script = answer(b"word")

    async def work(sockets: Sockets) -> list[Connection]:
        ended = await exchange(sockets, listener.port)
        listener.script = listener.hang
        asked = asyncio.ensure_future(exchange(sockets, listener.port, seconds=0.2))
        await asyncio.sleep(0.05)
        (ended.descriptor,) = sockets._open  # as it may well be: it is the lowest that is free
        sockets.drop(ended)
        return [ended, await asked]

    assert list(map(class_of, run(work))) == [None, ErrorClass.TIMEOUT]


def test_what_cannot_be_watched_is_our_fault_and_nobody_elses(
    loopback: AddressPolicy, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(SelectorPoll):
        """Has no room for a second one."""

        def register(self, descriptor: int, events: int) -> None:
            if self._selector.get_map():
                raise OSError(errno.ENOSPC, "no more watches")
            super().register(descriptor, events)

    async def work() -> list[Connection]:
        sockets = Sockets(loopback)
        ended = await asyncio.gather(*(exchange(sockets, listener.port) for _ in range(3)))
        sockets.close()
        return ended

    monkeypatch.setattr(sockets_module, "new_poll", Full)
    listener.script = answer(b"word")
    assert sorted(map(str, map(class_of, uvloop.run(work())))) == ["None", "internal", "internal"]


def test_closing_drops_what_is_open(loopback: AddressPolicy, listener: Listener) -> None:
    told: list[Connection] = []
    listener.script = listener.hang

    async def work() -> None:
        sockets = Sockets(loopback)
        sockets.begin(connection(listener.port, told))
        await asyncio.sleep(0.05)
        sockets.close()
        assert not sockets._open

    uvloop.run(work())
    assert told == []


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # those that are open stay so
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_descriptors_it_is_our_fault(loopback: AddressPolicy, listener: Listener) -> None:
    async def work() -> Connection:
        sockets = Sockets(loopback)
        with no_more_descriptors():
            ended = await exchange(sockets, listener.port)
        sockets.close()
        return ended

    assert class_of(uvloop.run(work())) == ErrorClass.INTERNAL
    assert listener.count() == 0


def test_nothing_is_left_for_the_garbage_collector(loopback: AddressPolicy, listener: Listener) -> None:
    listener.script = answer(b"word")

    async def work() -> int:
        sockets = Sockets(loopback)
        for _ in range(3):
            gc.collect()
            await asyncio.gather(*(exchange(sockets, listener.port) for _ in range(50)))
        await asyncio.sleep(0)
        left = sum(isinstance(each, Connection) for each in gc.get_objects())
        sockets.close()
        return left

    gc.disable()
    try:
        assert uvloop.run(work()) == 0
    finally:
        gc.enable()
