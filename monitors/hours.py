"""Rolling up by the hour: which hours are done, which are next, and each of them in a commit of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from monitors.models import Rollup

HOUR = timedelta(hours=1)
HOURS_A_RUN = 24
"""A run after an outage leaves the rest to the next one, a minute later."""


def floor_hour(at: datetime) -> datetime:
    """The beginning of the hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def roll_up(
    name: str, fill: Callable[[datetime], None], *, delay: timedelta, since: datetime, now: datetime
) -> int:
    """Have `fill` roll up, oldest first, the hours that ended `delay` ago and are not done; return how many.

    The first time ever it begins with the hour of `since`.
    """
    Rollup.objects.get_or_create(name=name, defaults={"until": floor_hour(since)})
    done = 0
    while done < HOURS_A_RUN and _roll_up_next(name, fill, now - delay):
        done += 1
    return done


def rolled_up_until(name: str) -> datetime | None:
    """The end of the newest hour that is rolled up; None before the first run."""
    return Rollup.objects.filter(name=name).values_list("until", flat=True).first()


@transaction.atomic
def _roll_up_next(name: str, fill: Callable[[datetime], None], closed_until: datetime) -> bool:
    """Roll up the next hour, unless it is not closed or another run is at it."""
    progress = Rollup.objects.select_for_update(skip_locked=True).filter(name=name).first()
    if progress is None or progress.until + HOUR > closed_until:
        return False
    fill(progress.until)
    progress.until += HOUR
    progress.save()
    return True
