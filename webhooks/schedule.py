"""When to try again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

RETRY_DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
"""Each from the attempt before; the first attempt is immediate (the native contract, "Retry policy")."""
MOST_ATTEMPTS = 1 + len(RETRY_DELAYS)


def next_attempt_at(attempt_count: int, now: datetime) -> datetime | None:
    """When to try after `attempt_count` failures, at least one, the last of them `now`; None: no more."""
    if attempt_count >= MOST_ATTEMPTS:
        return None
    return now + RETRY_DELAYS[attempt_count - 1]
