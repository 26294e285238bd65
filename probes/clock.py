"""The wall clock in the unit of the messages."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Unix milliseconds. Only instants: durations come from `time.monotonic`."""
    return time.time_ns() // 1_000_000
