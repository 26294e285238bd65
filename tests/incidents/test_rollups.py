"""Confirmed downtime by the hour: clipped, the same however often, and not forgotten before it is counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from incidents import tasks
from incidents.models import Incident, MonitorHour, Round, Transition
from incidents.rollups import CLOSED_AFTER, Trouble, count, roll_up_downtime, roll_up_hour
from monitors.hours import HOUR, floor_hour
from monitors.models import Monitor, Rollup
from tests.incidents.test_tasks import incident
from tests.make import NOW, account, monitor, seconds

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def down(of: Monitor, since: float, until: float | None = None, **fields: Any) -> Incident:
    """An incident from and to so many minutes after NOW."""
    ended = None if until is None else NOW + until * MINUTE
    return incident(of, started_at=NOW + since * MINUTE, resolved_at=ended, **fields)


def round_of(of: Monitor, minute: float, verdict: str = "inconclusive") -> Round:
    at = NOW + minute * MINUTE
    return Round.objects.create(
        monitor=of,
        scheduled_at=at,
        config_version=1,
        mode="2-of-3",
        opened_at=at,
        deadline_at=at,
        verdict=verdict,
        closed_at=at,
    )


def change(of: Monitor, sequence: int, minute: float, to: str) -> None:
    Transition.objects.create(
        monitor=of,
        sequence=sequence,
        from_status="down" if to == "up" else "up",
        to_status=to,
        round=round_of(of, minute, to),
        at=NOW + minute * MINUTE,
    )


def rows(of: Monitor) -> dict[int, float]:
    """The seconds of downtime by the hour after NOW."""
    hours = MonitorHour.objects.filter(monitor=of).order_by("hour")
    return {int((each.hour - NOW) / HOUR): each.downtime_seconds for each in hours}


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (10, 11.5, 90),
        (-5, 5, 300),
        (55, 65, 300),
        (-5, 65, 3600),
        (10, None, 3000),
        (-500, None, 3600),
        (0, 60, 3600),
        (59, 58, None),
    ],
)
def test_an_hour_has_the_part_of_an_incident_that_lies_in_it(
    since: float, until: float | None, expected: float | None
) -> None:
    made = monitor()
    down(made, since, until)
    roll_up_hour(NOW)
    assert rows(made).get(0) == (0.0 if expected is None else expected)


@pytest.mark.parametrize(("since", "until"), [(-2, 0), (60, 61)])
def test_what_lies_outside_the_hour_is_not_in_it(since: float, until: float) -> None:
    made = monitor()
    down(made, since, until)
    roll_up_hour(NOW)
    assert rows(made) == {}


def test_what_began_in_the_hour_and_what_stayed_inconclusive_is_counted() -> None:
    made, other = monitor(), monitor(account("bob"))
    down(made, 1, 2)
    down(made, 3, 4)
    down(other, -3, 4)
    for minute, verdict in ((1, "inconclusive"), (2, "up"), (61, "inconclusive")):
        round_of(other, minute, verdict)
    roll_up_hour(NOW)
    found = MonitorHour.objects.order_by("monitor").values_list(
        "downtime_seconds", "incidents", "inconclusive"
    )
    assert list(found) == [(120.0, 2, 0), (240.0, 0, 1)]


def test_rolled_up_again_the_row_is_the_same() -> None:
    made = monitor()
    down(made, 10, 20)
    for _ in range(2):
        roll_up_hour(NOW)
        assert rows(made) == {0: 600.0}


def test_while_it_flaps_the_confirmed_stretches_down_are_downtime() -> None:
    made = monitor()
    down(made, 0, 10)
    down(made, 20, 50, type="flapping")
    for sequence, (minute, to) in enumerate(
        [(0, "down"), (10, "up"), (20, "down"), (25, "up"), (30, "down"), (31, "up")], start=1
    ):
        change(made, sequence, minute, to)
    roll_up_hour(NOW)
    assert rows(made) == {0: (10 + 5 + 1) * 60.0}
    assert MonitorHour.objects.get().incidents == 2


def test_flapping_that_ends_down_goes_over_into_an_incident_without_a_gap_or_a_double() -> None:
    made = monitor()
    down(made, 20, 50, type="flapping")
    change(made, 1, 35, "down")
    down(made, 50)
    roll_up_hour(NOW)
    assert rows(made) == {0: 25 * 60.0}


def test_while_flapping_lasts_so_does_its_last_stretch() -> None:
    made = monitor()
    down(made, -100, None, type="flapping")
    change(made, 1, -10, "down")
    roll_up_hour(NOW)
    assert rows(made) == {0: 3600.0}


def test_an_hour_is_rolled_up_when_it_has_closed() -> None:
    made = monitor()
    down(made, 0)
    Rollup.objects.create(name="downtime", until=NOW)
    assert roll_up_downtime(NOW + HOUR + CLOSED_AFTER - MINUTE) == 0
    assert roll_up_downtime(NOW + 3 * HOUR + CLOSED_AFTER) == 3
    assert rows(made) == {0: 3600.0, 1: 3600.0, 2: 3600.0}


def test_the_first_run_begins_where_incidents_may_have_begun() -> None:
    made = monitor()
    now = NOW + HOUR + CLOSED_AFTER
    month = settings.INCIDENT_RETENTION // HOUR
    down(made, -60 * (month - 2), -60 * (month - 3))
    while roll_up_downtime(now):
        pass
    assert rows(made) == {-(month - 2): 3600.0}
    assert Rollup.objects.get().until == NOW + HOUR


def test_the_task_goes_by_the_clock_and_is_run_by_beat() -> None:
    hour = floor_hour(timezone.now()) - 2 * HOUR
    made = monitor()
    incident(made, started_at=hour, resolved_at=hour + MINUTE)
    Rollup.objects.create(name="downtime", until=hour)
    tasks.roll_up()
    assert MonitorHour.objects.get(monitor=made).downtime_seconds == 60.0
    assert "incidents.roll_up" in settings.CELERY_BEAT_SCHEDULE


def test_an_incident_is_not_forgotten_before_its_hours_are_rolled_up() -> None:
    old = timezone.now() - 2 * settings.INCIDENT_RETENTION
    made = monitor()
    incident(made, started_at=old, resolved_at=old + HOUR)
    progress = Rollup.objects.create(name="downtime", until=old)
    tasks.forget_old()
    assert Incident.objects.exists()
    progress.until = timezone.now()
    progress.save()
    tasks.forget_old()
    assert not Incident.objects.exists()


def test_rows_are_kept_as_long_as_the_operator_says() -> None:
    made = monitor()
    now = floor_hour(timezone.now())
    kept = now - timedelta(days=settings.ROLLUP_RETENTION_DAYS) + HOUR
    for hour in (kept, kept - 2 * HOUR):
        MonitorHour.objects.create(monitor=made, hour=hour, downtime_seconds=1, incidents=0, inconclusive=0)
    tasks.forget_old()
    assert [each.hour for each in MonitorHour.objects.all()] == [kept]


def test_a_deleted_monitor_leaves_no_rows() -> None:
    made = monitor()
    down(made, 0, 1)
    roll_up_hour(NOW)
    made.delete()
    assert not MonitorHour.objects.exists()


STRETCHES = st.lists(st.integers(-7_200, 10_800), min_size=2, max_size=12, unique=True).map(sorted)


def clipped(stretches: list[tuple[datetime, datetime]], start: datetime, end: datetime) -> float:
    """The plain way: the sum of what is left of each."""
    parts = ((min(until, end) - max(since, start)).total_seconds() for since, until in stretches)
    return sum(part for part in parts if part > 0)


@given(STRETCHES, st.integers(-3_600, 7_200), st.integers(1, 7_200))
@examples(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_window_of_any_incidents_is_clipped_right_and_is_the_sum_of_its_hours(
    edges: list[int], since: int, length: int
) -> None:
    with transaction.atomic():
        made = monitor(account("any"))
        ends = [NOW + seconds(edge) for edge in edges]
        stretches = list(zip(ends[::2], ends[1::2], strict=False))
        for began, ended in stretches:
            incident(made, started_at=began, resolved_at=ended)
        start = NOW + seconds(since)
        end = start + seconds(length)
        found = count(made.pk, start, end)
        assert found.downtime_seconds == pytest.approx(clipped(stretches, start, end))
        assert found.incidents == sum(start <= began < end for began, _ in stretches)
        for hour in range(-2, 3):
            roll_up_hour(NOW + hour * HOUR)
        whole = count(made.pk, NOW - 2 * HOUR, NOW + 3 * HOUR)
        hours = MonitorHour.objects.filter(monitor=made)
        total = sum((Trouble(e.downtime_seconds, e.incidents, e.inconclusive) for e in hours), Trouble())
        assert total.downtime_seconds == pytest.approx(whole.downtime_seconds)
        assert (total.incidents, total.inconclusive) == (whole.incidents, 0)
        transaction.set_rollback(True)
