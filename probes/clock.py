"""The wall clock in the unit of the messages, set by the broker's, which all regions share.

The core's is its machine's own, as are the broker's and the database's: NTP keeps those together, see
`monitors.tasks.is_wrong`.

A machine whose clock is wrong by a minute would else find every check too late, or every batch too young.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SLOWEST_ANSWER_MS = 1_000
"""An answer that took longer says too little of now."""
TOLERANCE_MS = 200
"""Less than that may be the way there and back; the clock does not tremble with it."""

_offset_ms = 0


def now_ms() -> int:
    """Unix milliseconds. Only instants: durations come from `time.monotonic`."""
    return own_ms() + _offset_ms


def set_by(ask_ms: Callable[[], int]) -> int:
    """Set the clock by one that answers its Unix milliseconds; return by how much ours is behind, in ms."""
    global _offset_ms
    begin_ms = own_ms()
    told_ms = ask_ms()
    end_ms = own_ms()
    offset_ms = told_ms - (begin_ms + end_ms) // 2
    if end_ms - begin_ms <= SLOWEST_ANSWER_MS and abs(offset_ms - _offset_ms) > TOLERANCE_MS:
        _offset_ms = 0 if abs(offset_ms) <= TOLERANCE_MS else offset_ms
    return _offset_ms


def own_ms() -> int:
    """Unix milliseconds by this machine's clock, right or wrong."""
    return time.time_ns() // 1_000_000
