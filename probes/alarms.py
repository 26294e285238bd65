"""Timers that go off together: a timer for each probe would cost as much as sending its request."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

TOGETHER_SECONDS = 0.02
"""So much later than asked for an alarm goes off at most, on a loop that has time."""


class Alarms(Generic[Item]):
    """Calls `ring` with an item once its time has come, on the loop that runs when the alarm is set."""

    def __init__(self, ring: Callable[[Item], None]) -> None:
        self._ring = ring
        self._items: dict[int, set[Item]] = {}
        """By the number of the `TOGETHER_SECONDS` after which they ring."""

    def set(self, item: Item, at: float) -> int:
        """Has `item` rung for at `at`, by `time.monotonic`; the number to `clear` it by."""
        number = int(at / TOGETHER_SECONDS) + 1
        if number not in self._items:
            self._items[number] = set()
            delay = number * TOGETHER_SECONDS - time.monotonic()
            asyncio.get_running_loop().call_later(max(0, delay), self._ring_for, number)
        self._items[number].add(item)
        return number

    def clear(self, item: Item, number: int) -> None:
        """Nothing is rung for `item`, unless that was done already."""
        if number in self._items:
            self._items[number].discard(item)

    def _ring_for(self, number: int) -> None:
        for item in self._items.pop(number):
            try:
                self._ring(item)
            except Exception:  # which must not silence the others
                logger.exception("alarm.failed")
