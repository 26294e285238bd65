"""What can be believed of a monitor. Apart from the models, so that pure rules can use it."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The settled belief; `flapping` is shown instead while it changes too often to be believed."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    FLAPPING = "flapping"
