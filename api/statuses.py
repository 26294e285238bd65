"""The statuses that are expected, as text: `200,201,204`, `200-299,404`, `2xx-3xx`."""

from __future__ import annotations

import re

Ranges = list[list[int]]
"""Both ends included."""

LONGEST = 500
CODE = "[1-5](?:[0-9]{2}|xx)"
PART = f" *{CODE} *(?:- *{CODE} *)?"
GRAMMAR = f"^{PART}(?:,{PART})*$"
SHAPE = re.compile(GRAMMAR, re.ASCII)


class BadStatuses(ValueError):
    """A text that names no statuses."""


def parsed(text: str) -> int | Ranges:
    """The status, or the ranges, that a text names; raises `BadStatuses`."""
    if len(text) > LONGEST or not SHAPE.fullmatch(text):
        raise BadStatuses
    ranges = [_range(part) for part in text.replace(" ", "").split(",")]
    if any(low > high for low, high in ranges):
        raise BadStatuses
    ((low, high), *others) = ranges
    return low if low == high and not others else ranges


def written(expected: int | Ranges) -> str:
    """The text that names these statuses, in numbers."""
    if isinstance(expected, int):
        return str(expected)
    return ",".join(f"{low}" if low == high else f"{low}-{high}" for low, high in expected)


def _range(part: str) -> list[int]:
    low, _, high = part.partition("-")
    return [int(low.replace("xx", "00")), int((high or low).replace("xx", "99"))]
