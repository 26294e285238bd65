"""Connections of our own, many at once on the running loop: for what needs no libcurl.

There are no coroutines here: at a plain http target, a task with its future costs as much as the whole
exchange, see docs/performance.md.
"""

from __future__ import annotations

import asyncio
import logging
import time

from probes.alarms import Alarms
from probes.connection import Connection
from probes.errors import ErrorClass, Fault, blocked
from probes.guard import AddressPolicy
from probes.ready import READ, WRITE, leave, new_poll

logger = logging.getLogger(__name__)


class Sockets:
    """Connections under one address policy, on the loop of the first of them. Close it there.

    What is alike is done for all that are ready before what comes next: dialling, sending and receiving,
    reading, closing, telling. To do each connection's all in turn costs a look a fifth more.
    """

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._poll = new_poll()
        self._new: list[Connection] = []
        self._open: dict[int, Connection] = {}
        self._alarms: Alarms[Connection] = Alarms(self._time_out)
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, connection: Connection) -> None:
        """Dials, sends, and gives the reader what comes back, until that has all it wants.

        The connection tells of its end once, later, on the loop. Trouble is its fault, never an exception.
        """
        if not self._new:
            (self._loop or self._begin()).call_soon(self._dial_new)
        self._new.append(connection)

    def drop(self, connection: Connection) -> None:
        """Closes it, if it is open; `on_end` is not called any more."""
        connection.on_end = _nobody
        if self._open.get(connection.descriptor) is connection:  # else another may have its descriptor
            self._close(connection)

    def close(self) -> None:
        """Drops them all."""
        for connection in (*self._new, *self._open.values()):
            self.drop(connection)
        if self._loop:
            self._loop.remove_reader(self._poll.fileno())
        self._poll.close()

    def _begin(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._poll.fileno(), self._on_ready)
        return self._loop

    def _dial_new(self) -> None:
        new = [connection for connection in self._new if connection.on_end is not _nobody]
        self._new = []
        for connection in new:
            self._dial(connection)
        for connection in new:
            if not connection.fault:
                self._watch(connection)
        for connection in new:
            if connection.fault:
                _tell(connection)

    def _dial(self, connection: Connection) -> None:
        if not self._policy.permits(*connection.peer):
            connection.fault = blocked(connection.peer[0])
        else:
            connection.dial()

    def _watch(self, connection: Connection) -> None:
        """A target that is near has accepted by now: what is sent at once need not be waited for."""
        connection.go_on(WRITE)
        if not connection.fault:
            self._register(connection)
        if connection.fault:
            connection.socket.close()
            return
        self._open[connection.descriptor] = connection
        due_at = connection.started_ns / 1e9 + connection.timeout_seconds
        connection.alarm = self._alarms.set(connection, due_at)

    def _register(self, connection: Connection) -> None:
        try:
            self._poll.register(connection.descriptor, READ | WRITE if connection.unsent else READ)
        except OSError as error:  # no more watches, or memory
            connection.fault = Fault(ErrorClass.INTERNAL, str(error))

    def _on_ready(self) -> None:
        ended = [connection for connection, data in self._received() if connection.take(data)]
        for connection in ended:
            self._close(connection)
        for connection in ended:
            _tell(connection)

    def _received(self) -> list[tuple[Connection, bytes]]:
        received = []
        for descriptor, events in self._poll.poll(0):
            connection = self._open.get(descriptor)  # None: closed, but a process that begins has it still
            if connection and (data := self._go_on(connection, events)) is not None:
                received.append((connection, data))
        return received

    def _go_on(self, connection: Connection, events: int) -> bytes | None:
        data = connection.go_on(events)
        if events & WRITE and not connection.unsent:
            self._poll.modify(connection.descriptor, READ)
        return data

    def _time_out(self, connection: Connection) -> None:
        """An answer that lies ready came in time: it was us who stood still."""
        if not connection.connected_ns:
            connection.fault = Fault(ErrorClass.CONNECT_TIMEOUT, "no connection before the deadline")
        elif (data := connection.go_on(READ)) is None or not connection.take(data):
            connection.fault = Fault(ErrorClass.TIMEOUT, "no complete answer before the deadline")
        self._close(connection)
        _tell(connection)

    def _close(self, connection: Connection) -> None:
        connection.ended_ns = time.monotonic_ns()
        self._alarms.clear(connection, connection.alarm)
        del self._open[connection.descriptor]
        leave(self._poll, connection.descriptor)
        connection.socket.close()


def _tell(connection: Connection) -> None:
    """Once. And whom it told, it knows no more: most have it themselves, which would be a circle."""
    on_end, connection.on_end = connection.on_end, _nobody
    try:
        on_end(connection)
    except Exception:  # which must not stop the others that ended with it
        logger.exception("connection.failed")


def _nobody(_: Connection) -> None:
    """Whom a dropped connection tells."""
