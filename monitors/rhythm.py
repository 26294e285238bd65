"""When a heartbeat is expected, and until when it is waited for. Pure."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

SHORTEST_PATIENCE = timedelta(minutes=1)
"""A run may take so long, and after an outage of ours we listen so long, however short the grace."""
ANY_INSTANT = datetime(2026, 1, 1)  # noqa: DTZ001  # whether an expression ever occurs, the zone does not change


class BadRhythm(ValueError):
    """An expression or a time zone that there is none of; the text names the option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often a monitor's pings come: every `interval`, or where there is a `cron` expression, by that."""

    interval: timedelta
    grace: timedelta
    cron: str = ""
    zone: str = "UTC"

    @classmethod
    def of(cls, interval_seconds: int, options: Mapping[str, Any]) -> Rhythm:
        """The rhythm of a monitor with these options."""
        return cls(
            interval=timedelta(seconds=interval_seconds),
            grace=timedelta(seconds=options["grace_seconds"]),
            cron=options.get("cron", ""),
            zone=options["timezone"],
        )

    @property
    def patience(self) -> timedelta:
        """How long is waited where the rhythm itself says nothing."""
        return max(self.grace, SHORTEST_PATIENCE)

    def next_after(self, instant: datetime) -> datetime:
        """When the ping after the one at `instant` is expected."""
        if not self.cron:
            return instant + self.interval
        local = instant.astimezone(ZoneInfo(self.zone))
        # In the hour that is there twice CronSim may answer with its first half from within the second.
        return next(at for each in CronSim(self.cron, local) if (at := each.astimezone(UTC)) > instant)

    def deadline(self, last_ping_at: datetime | None, run_started_at: datetime | None) -> datetime | None:
        """Until when the next ping must come; None before the first, while no run has begun."""
        expected = [self.next_after(last_ping_at) + self.grace] if last_ping_at else []
        running = [run_started_at + self.patience] if run_started_at else []
        return min([*expected, *running], default=None)


def check_cron(expression: str) -> None:
    """Raise `BadRhythm` unless `expression` has five fields and occurs."""
    if len(expression.split()) != 5:
        raise BadRhythm("cron must have five fields: minute, hour, day of month, month, day of week")
    try:
        next(CronSim(expression, ANY_INSTANT))
    except CronSimError as error:
        raise BadRhythm(f"cron is invalid: {error}") from error
    except StopIteration:
        raise BadRhythm("cron never occurs") from None


def check_zone(name: str) -> None:
    """Raise `BadRhythm` unless there is a time zone of this name."""
    if name not in _zones():
        raise BadRhythm("timezone must be a name of the IANA database, such as Europe/Berlin")


@functools.cache
def _zones() -> set[str]:
    return available_timezones()
