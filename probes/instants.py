"""Instants in their three forms: datetime within, Unix milliseconds in messages, RFC 3339 on the wire."""

from __future__ import annotations

from datetime import UTC, datetime


def unix_ms(instant: datetime) -> int:
    """The instant as messages carry it."""
    return round(instant.timestamp() * 1000)


def from_unix_ms(milliseconds: int) -> datetime:
    """The instant that a message gives in Unix milliseconds, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def rfc3339(instant: datetime) -> str:
    """The instant in UTC with its fraction and `Z`, as `2026-11-21T09:14:02.000000Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
