"""Which slots lie between two instants, as ranges of phases: pure arithmetic, in Unix milliseconds.

All monitors of an interval share its cycle, and each has one phase in it. So what came due between two
instants is one range of phases, or two where the end of a cycle lies between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Window(NamedTuple):
    """The phases from `first` to `last`, both included; a monitor's slot is `cycle_ms` and its phase."""

    first: int
    last: int
    cycle_ms: int


def windows(interval_ms: int, after_ms: int, until_ms: int) -> list[Window]:
    """The phases of the slots in (`after_ms`, `until_ms`], the earlier ones first.

    Of a span that is longer than the interval it is the end of it, which holds one slot of each monitor:
    the latest.
    """
    first_ms = max(after_ms, until_ms - interval_ms) + 1
    if first_ms > until_ms:
        return []
    first, last = first_ms % interval_ms, until_ms % interval_ms
    if first <= last:
        return [Window(first, last, until_ms - last)]
    return [Window(first, interval_ms - 1, first_ms - first), Window(0, last, until_ms - last)]


def claimed_until(slots: Sequence[int], limit: int, until_ms: int) -> int:
    """Up to where all is claimed, if `slots` were found, ascending, by one that stops at `limit` or after.

    One that stops does so between two slots, never among the monitors that share one.
    """
    return slots[limit - 1] if len(slots) >= limit else until_ms
