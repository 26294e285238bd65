"""Partitions: ahead of what is stored, and gone behind the retention."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from monitors import tasks
from monitors.evidence import record_evidence
from monitors.models import Evidence, RegionHour
from monitors.partitions import DAYS_AHEAD, EVIDENCE, REGION_HOURS, keep_partitions
from monitors.rollups import roll_up_hour
from tests.make import NOW, monitor, result

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=400)


def keep(now: datetime, rolled_up_until: datetime | None = None) -> None:
    keep_partitions(now, evidence_days=7, rollup_days=400, rolled_up_until=rolled_up_until)


def test_evidence_has_a_place_from_yesterday_to_some_days_ahead() -> None:
    keep(LATER)
    keep(LATER)
    days = {LATER.date() + timedelta(days=offset) for offset in range(-1, DAYS_AHEAD + 1)}
    assert EVIDENCE.partitions() == days


def test_a_day_is_dropped_when_all_of_it_is_past_the_retention() -> None:
    keep(LATER)
    made = monitor()
    record_evidence([result(made, "up", at=LATER)])
    keep(LATER + timedelta(days=7))
    assert Evidence.objects.count() == 1
    keep(LATER + timedelta(days=8))
    assert Evidence.objects.count() == 0
    assert LATER.date() not in EVIDENCE.partitions()


def test_evidence_that_is_not_rolled_up_waits_however_old_it_is() -> None:
    keep(LATER)
    record_evidence([result(monitor(), "up", at=LATER)])
    much_later = LATER + timedelta(days=60)
    keep(much_later, rolled_up_until=LATER)
    assert LATER.date() in EVIDENCE.partitions()
    roll_up_hour(LATER)
    assert RegionHour.objects.count() == 1
    keep(much_later, rolled_up_until=much_later)
    assert LATER.date() not in EVIDENCE.partitions()


def test_rollups_have_a_place_by_the_month_from_the_oldest_evidence_on() -> None:
    keep(datetime(2028, 1, 30, tzinfo=NOW.tzinfo))
    assert REGION_HOURS.partitions() >= {date(2028, 1, 1), date(2028, 2, 1)}
    keep(datetime(2028, 3, 5, tzinfo=NOW.tzinfo))
    assert REGION_HOURS.partitions() >= {date(2028, 2, 1), date(2028, 3, 1)}


def test_a_month_of_rollups_is_dropped_when_all_of_it_is_past_the_retention() -> None:
    keep(datetime(2028, 1, 31, tzinfo=NOW.tzinfo))
    end = datetime(2028, 2, 1, tzinfo=NOW.tzinfo)
    keep(end + timedelta(days=399))
    assert date(2028, 1, 1) in REGION_HOURS.partitions()
    keep(end + timedelta(days=400))
    assert date(2028, 1, 1) not in REGION_HOURS.partitions()


def test_the_task_keeps_a_place_for_what_comes_now() -> None:
    today = timezone.now().date()
    EVIDENCE.keep(today, today, horizon=today + timedelta(days=10))
    assert EVIDENCE.partitions() == set()
    tasks.keep_partitions()
    assert {today, today + timedelta(days=DAYS_AHEAD)} <= EVIDENCE.partitions()
    assert today.replace(day=1) in REGION_HOURS.partitions()
