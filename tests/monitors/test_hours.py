"""Which hours are rolled up: each once, oldest first, when it has closed, and all of them after an outage."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from monitors.hours import HOUR, HOURS_A_RUN, roll_up, rolled_up_until
from monitors.models import Rollup
from tests.make import NOW

pytestmark = pytest.mark.django_db

DELAY = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)


def run(now: datetime, seen: list[datetime]) -> int:
    return roll_up("test", seen.append, delay=DELAY, since=NOW + 30 * MINUTE, now=now)


def test_an_hour_waits_until_it_is_closed_and_comes_once() -> None:
    seen: list[datetime] = []
    for now in (NOW, NOW + HOUR + DELAY - MINUTE, NOW + HOUR + DELAY, NOW + HOUR + DELAY + MINUTE):
        run(now, seen)
    assert seen == [NOW]
    assert rolled_up_until("test") == NOW + HOUR


def test_after_an_outage_the_hours_are_caught_up_with_some_at_a_time() -> None:
    seen: list[datetime] = []
    after = NOW + 40 * HOUR + DELAY
    assert [run(after, seen) for _ in range(3)] == [HOURS_A_RUN, 40 - HOURS_A_RUN, 0]
    assert seen == [NOW + number * HOUR for number in range(40)]


def test_an_hour_that_fails_is_not_done() -> None:
    def fail(hour: datetime) -> None:
        raise ZeroDivisionError

    after = NOW + 2 * HOUR + DELAY
    with pytest.raises(ZeroDivisionError):
        roll_up("test", fail, delay=DELAY, since=NOW, now=after)
    seen: list[datetime] = []
    run(after, seen)
    assert seen == [NOW, NOW + HOUR]


def test_each_rollup_goes_at_its_own_pace() -> None:
    Rollup.objects.create(name="other", until=NOW - HOUR)
    run(NOW + HOUR + DELAY, [])
    assert rolled_up_until("other") == NOW - HOUR
    assert rolled_up_until("unheard of") is None
