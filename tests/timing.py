"""Bounds on time that hold on a machine that has none to spare."""

from __future__ import annotations

STALL_MS = 5_000
"""So much later than they should may things be done. What a test bounds by it would otherwise take longer."""


def keeps(deadline_ms: float, took_ms: float) -> bool:
    """Whether that took until the deadline: not less, but for the rounding of timers, and not for ever."""
    return -10 <= took_ms - deadline_ms < STALL_MS
