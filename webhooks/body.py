"""The bytes of a webhook's body: frozen at publish, so that every attempt sends and signs the same. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping


def freeze(payload: Mapping[str, object]) -> str:
    """`payload`, not empty, as compact JSON; raises `TypeError` or `ValueError` when it is no JSON.

    ASCII only: it means the same in whatever charset a receiver assumes, and has no text that UTF-8 lacks.
    """
    if not payload:
        raise ValueError("an event needs a payload")
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def body_of(frozen: str, *, delivery_id: int, attempt: int) -> bytes:
    """The body of one attempt: the frozen members, then `delivery_id` and `attempt`."""
    return f'{frozen[:-1]},"delivery_id":{delivery_id},"attempt":{attempt}}}'.encode()
