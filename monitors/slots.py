"""The grid of a monitor's checks: pure arithmetic, in Unix milliseconds.

A slot is `phase + k * interval`. The phase comes from the id alone, so the load is flat, the grid is
reproducible, survives restarts and never drifts. `phases.PHASE_MS` is the same arithmetic in SQL.
"""

from __future__ import annotations

# 2^32 divided by the golden ratio (Knuth, TAOCP 6.4): consecutive ids land as far apart as can be,
# whatever the interval, so that a thousand monitors of one account do not bunch.
GOLDEN = 2654435761
MASK_31 = 2**31 - 1
MASK_32 = 2**32 - 1


def phase_ms(monitor_id: int, interval_ms: int) -> int:
    """The offset of the monitor's slots from the epoch, in [0, interval_ms)."""
    return (((monitor_id & MASK_31) * GOLDEN & MASK_32) * interval_ms) >> 32


def latest_slot_ms(monitor_id: int, interval_ms: int, now_ms: int) -> int:
    """The newest slot at or before `now_ms`."""
    return now_ms - (now_ms - phase_ms(monitor_id, interval_ms)) % interval_ms


def next_slot_ms(monitor_id: int, interval_ms: int, now_ms: int) -> int:
    """The first slot after `now_ms`."""
    return latest_slot_ms(monitor_id, interval_ms, now_ms) + interval_ms


def turn(monitor_id: int, interval_ms: int, scheduled_at_ms: int, regions: int) -> int:
    """Which of `regions` regions looks this time: each in its turn, monitors out of step."""
    return (scheduled_at_ms // interval_ms + monitor_id) % regions
