"""Which sockets are ready: epoll, and where there is none (macOS, BSD) what stands in for it."""

from __future__ import annotations

import select
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

READ, WRITE, FAILED, HUNG_UP = 0x1, 0x4, 0x8, 0x10
"""As epoll has them (epoll_ctl(2))."""


class SelectorPoll:
    """As much of `select.epoll` as we use, over the standard library's choice for this system."""

    def __init__(self) -> None:
        self._selector = DefaultSelector()

    def register(self, descriptor: int, events: int) -> None:
        self._selector.register(descriptor, _interest(events))

    def modify(self, descriptor: int, events: int) -> None:
        self._selector.modify(descriptor, _interest(events))

    def unregister(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        ready = self._selector.select(timeout)
        return [
            (key.fd, (READ if events & EVENT_READ else 0) | (WRITE if events & EVENT_WRITE else 0))
            for key, events in ready
        ]

    def fileno(self) -> int:
        descriptor: int = self._selector.fileno()
        return descriptor

    def close(self) -> None:
        self._selector.close()


def new_poll() -> SelectorPoll | select.epoll:
    """An epoll, which costs a look a tenth less than what works everywhere."""
    return select.epoll() if hasattr(select, "epoll") else SelectorPoll()


def leave(poll: SelectorPoll | select.epoll, descriptor: int) -> None:
    """Before a descriptor is closed that nobody else has: an epoll forgets it by itself then (epoll(7))."""
    if isinstance(poll, SelectorPoll):
        poll.unregister(descriptor)


def _interest(events: int) -> int:
    """A selector wants one at least: without any, only that a connection failed is of interest."""
    return (EVENT_READ if events & READ else 0) | (EVENT_WRITE if events & WRITE else 0) or EVENT_READ
