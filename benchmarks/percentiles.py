"""Percentiles of what was measured."""

from __future__ import annotations

from collections.abc import Iterable


def percentiles(values: Iterable[float], *wanted: int) -> list[float]:
    """The smallest values that so many in a hundred do not exceed."""
    ordered = sorted(values)
    return [ordered[max(0, -(-percent * len(ordered) // 100) - 1)] for percent in wanted]
