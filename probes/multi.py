"""libcurl's transfers on the running asyncio loop, which watches one epoll for all of their sockets.

`pycurl.AsyncCurlMulti` has a reader or writer of the loop per socket, and a turn of the loop for each of
their events. Here all that is ready is handed over in one turn. `CurlMulti.perform` would be cheaper while
every target is quick, but it asks all transfers whenever one of them moves: see docs/performance.md.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pycurl

from probes.ready import FAILED, HUNG_UP, READ, WRITE, new_poll

INTERESTS = {
    pycurl.POLL_NONE: 0,
    pycurl.POLL_IN: READ,
    pycurl.POLL_OUT: WRITE,
    pycurl.POLL_INOUT: READ | WRITE,
}
READABLE = READ | HUNG_UP | FAILED
WRITABLE = WRITE | FAILED

Ended = tuple[int, str]
"""libcurl's code of a transfer that ended, and its message."""


class Multi:
    """Runs transfers on the loop of the first of them. Close it on that loop."""

    def __init__(self) -> None:
        self._multi: Any = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._epoll = new_poll()
        self._watched: set[int] = set()
        self._running: dict[pycurl.Curl, asyncio.Future[Ended]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.Handle | None = None
        self._timer_at = 0.0

    async def perform(self, handle: pycurl.Curl) -> Ended:
        """Runs one transfer to its end. Cancelling it closes its connection."""
        loop = self._loop or self._begin()
        ended: asyncio.Future[Ended] = loop.create_future()
        self._running[handle] = ended
        self._multi.add_handle(handle)
        try:
            return await ended
        except asyncio.CancelledError:
            if self._running.pop(handle, None):
                self._multi.remove_handle(handle)
            raise

    def close(self) -> None:
        """Ends what runs, as cancelled."""
        for handle, ended in self._running.items():
            self._multi.remove_handle(handle)
            ended.cancel()
        self._running.clear()
        if self._loop:
            self._loop.remove_reader(self._epoll.fileno())
        if self._timer:
            self._timer.cancel()
        self._multi.close()
        self._epoll.close()

    def _begin(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._epoll.fileno(), self._on_ready)
        return self._loop

    def _watch(self, interest: int, descriptor: int, *_: object) -> None:
        """libcurl's M_SOCKETFUNCTION."""
        if interest == pycurl.POLL_REMOVE:
            self._watched.remove(descriptor)
            self._epoll.unregister(descriptor)
        elif descriptor in self._watched:
            self._epoll.modify(descriptor, INTERESTS[interest])
        else:
            self._epoll.register(descriptor, INTERESTS[interest])
            self._watched.add(descriptor)

    def _set_timer(self, delay_ms: int) -> None:
        """libcurl's M_TIMERFUNCTION. A timer that is set for earlier stays: it does no harm to come then."""
        if delay_ms < 0:
            return
        at = time.monotonic() + delay_ms / 1000
        if self._timer and self._timer_at <= at:
            return
        if self._timer:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        if delay_ms:
            self._timer = loop.call_later(delay_ms / 1000, self._on_timer)
        else:
            self._timer = loop.call_soon(self._on_timer)
        self._timer_at = at

    def _on_timer(self) -> None:
        self._timer = None
        self._act([(pycurl.SOCKET_TIMEOUT, 0)])

    def _on_ready(self) -> None:
        self._act([(descriptor, _happened(events)) for descriptor, events in self._epoll.poll(0)])

    def _act(self, ready: list[tuple[int, int]]) -> None:
        """Lets libcurl go on where something is ready, and hands over the transfers that ended."""
        try:
            for descriptor, events in ready:
                self._multi.socket_action(descriptor, events)
        except pycurl.error as error:  # of libcurl itself: it says nothing of any transfer any more
            for handle in list(self._running):
                self._hand_over(handle, (pycurl.E_FAILED_INIT, str(error)))
            return
        _, succeeded, failed = self._multi.info_read()
        for handle in succeeded:
            self._hand_over(handle, (pycurl.E_OK, ""))
        for handle, code, message in failed:
            self._hand_over(handle, (code, message))

    def _hand_over(self, handle: pycurl.Curl, how: Ended) -> None:
        self._multi.remove_handle(handle)
        ended = self._running.pop(handle)
        if not ended.done():  # cancelled, in the turn before its task hears of it
            ended.set_result(how)


def _happened(events: int) -> int:
    """What epoll says, as libcurl takes it. An error shows when libcurl reads or writes."""
    return (pycurl.CSELECT_IN if events & READABLE else 0) | (pycurl.CSELECT_OUT if events & WRITABLE else 0)
