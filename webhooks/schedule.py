"""When to try again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

RETRY_DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
"""Each from the attempt before; the first attempt is immediate (the native contract, "Retry policy")."""
MOST_ATTEMPTS = 1 + len(RETRY_DELAYS)
MOST_PATIENCE = 2
"""A receiver may ask for up to so many times the delay, and for no less than the delay."""


def next_attempt_at(attempt_count: int, now: datetime, asked: timedelta = timedelta(0)) -> datetime | None:
    """When to try after `attempt_count` failures, at least one, the last of them `now`; None: no more.

    `asked` is what the receiver would have us wait.
    """
    if attempt_count >= MOST_ATTEMPTS:
        return None
    delay = RETRY_DELAYS[attempt_count - 1]
    return now + min(max(delay, asked), MOST_PATIENCE * delay)


def wait_asked(retry_after: str, now: datetime) -> timedelta:
    """The time in a `Retry-After` (RFC 9110 section 10.2.3: seconds, or a date); none where it is neither."""
    try:
        if retry_after.isascii() and retry_after.isdigit():
            return timedelta(seconds=int(retry_after))
        return parsedate_to_datetime(retry_after) - now
    except (ValueError, TypeError, OverflowError):  # no date; a date without a zone; too long to count
        return timedelta(0)
