"""The evidence by the hour: the same however often it is counted, and mended by what comes late."""

from __future__ import annotations

import threading
from datetime import timedelta
from statistics import median_low
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from monitors import tasks
from monitors.evidence import record_evidence
from monitors.hours import HOUR, floor_hour
from monitors.models import Evidence, Monitor, RegionHour, Rollup
from monitors.rollups import (
    CLOSED_AFTER,
    MOST_COUNTED,
    evidence_rolled_up_until,
    roll_up_evidence,
    roll_up_hour,
)
from tests.make import NOW, account, monitor, result, seconds

pytestmark = pytest.mark.django_db


def see(of: Monitor, outcome: str, minute: float, region: str = "eu", **fields: Any) -> None:
    record_evidence([result(of, outcome, region, at=NOW + seconds(60 * minute), **fields)])


def row(of: Monitor, region: str = "eu") -> dict[str, Any]:
    (values,) = RegionHour.objects.filter(monitor_id=of.pk, region=region).values()
    return {name: value for name, value in values.items() if name not in ("monitor_id", "hour", "region")}


def counted(checks: int = 0, failures: int = 0, missed: int = 0, errors: int = 0) -> dict[str, int]:
    return {"checks": checks, "failures": failures, "missed": missed, "errors": errors}


def versions() -> dict[int, str]:
    """Where each monitor's row lies: elsewhere as soon as it was written again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT monitor_id, ctid::text FROM monitors_regionhour")
        return dict(cursor.fetchall())


FLOOD = """
INSERT INTO monitors_evidence (monitor_id, scheduled_at, region, round_id, attempt, outcome, started_at,
    total_ms, error_class, error, address)
SELECT %(monitor)s, at, %(outcome)s, 0, 1, %(outcome)s, at, 1, '', '', ''
FROM generate_series(%(hour)s::timestamptz, %(hour)s + interval '59 minutes', interval '88 ms') AS at
"""


def flood(of: Monitor, outcome: str) -> int:
    """Some 40,000 looks of one region in the hour of NOW; how many."""
    with connection.cursor() as cursor:
        cursor.execute(FLOOD, {"monitor": of.pk, "hour": NOW, "outcome": outcome})
        count: int = cursor.rowcount
    return count


NO_LATENCY = {"p50_ms": None, "p95_ms": None, "max_ms": None}


def test_an_hour_has_a_row_for_each_region_that_looked() -> None:
    made, other = monitor(), monitor(account("bob"))
    for minute in range(20):
        see(made, "up", minute, total_ms=float(minute + 1))
    see(made, "down", 30, total_ms=9_000.0)
    see(made, "missed", 31)
    see(made, "error", 32)
    see(made, "down", 40, "us")
    see(other, "up", 5)
    roll_up_hour(NOW)
    latency = {"p50_ms": 10.0, "p95_ms": 19.0, "max_ms": 20.0}
    assert row(made) == counted(21, 1, 1, 1) | latency
    assert row(made, "us") == counted(1, 1) | NO_LATENCY
    assert row(other)["checks"] == 1
    assert RegionHour.objects.count() == 3


def test_an_hour_ends_where_the_next_begins() -> None:
    made = monitor()
    for minute in (-1 / 60, 0, 59, 60):
        see(made, "up", minute)
    roll_up_hour(NOW)
    assert row(made)["checks"] == 2
    roll_up_hour(NOW - HOUR)
    roll_up_hour(NOW + HOUR)
    assert [each.checks for each in RegionHour.objects.order_by("hour")] == [1, 2, 1]


def test_votes_are_no_checks() -> None:
    made = monitor()
    see(made, "down", 1)
    see(made, "down", 1, "us", round_id=7)
    roll_up_hour(NOW)
    assert [each.region for each in RegionHour.objects.all()] == ["eu"]


def test_rolled_up_again_it_is_the_same_and_what_came_late_is_in_it() -> None:
    made = monitor()
    see(made, "up", 1)
    for _ in range(2):
        roll_up_hour(NOW)
        assert row(made)["checks"] == 1
    see(made, "down", 2)
    roll_up_hour(NOW)
    assert (row(made)["checks"], row(made)["failures"]) == (2, 1)


def test_a_row_that_does_not_change_is_not_written_again() -> None:
    made, other = monitor(), monitor(account("bob"))
    see(made, "up", 1)
    see(other, "missed", 1)
    roll_up_hour(NOW)
    before = versions()
    see(other, "up", 2)
    roll_up_hour(NOW)
    after = versions()
    assert before[made.pk] == after[made.pk]
    assert before[other.pk] != after[other.pk]


def test_an_hour_whose_evidence_is_gone_stays_as_it_is() -> None:
    made = monitor()
    see(made, "up", 1)
    roll_up_hour(NOW)
    Evidence.objects.all().delete()
    roll_up_hour(NOW)
    assert row(made)["checks"] == 1


def test_more_looks_than_a_count_holds_stop_nobodys_rollup() -> None:
    made, other = monitor(), monitor(account("bob"))
    assert all(flood(made, outcome) > 40_000 for outcome in ("down", "missed", "error"))
    see(other, "up", 1)
    roll_up_hour(NOW)
    assert row(made, "down") == counted(MOST_COUNTED, MOST_COUNTED) | NO_LATENCY
    assert row(made, "missed") == counted(missed=MOST_COUNTED) | NO_LATENCY
    assert row(made, "error") == counted(errors=MOST_COUNTED) | NO_LATENCY
    assert row(other)["checks"] == 1


def test_an_hour_is_done_soon_after_it_closed_and_once_more_a_day_later() -> None:
    made = monitor()
    see(made, "up", 1)
    closed = NOW + HOUR + CLOSED_AFTER
    assert roll_up_evidence(NOW, closed) == 1
    assert evidence_rolled_up_until() == NOW + HOUR
    see(made, "up", 2)
    roll_up_evidence(NOW, closed + timedelta(hours=20))
    assert row(made)["checks"] == 1
    roll_up_evidence(NOW, NOW + HOUR + timedelta(days=1))
    assert row(made)["checks"] == 2


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_do_not_wait_for_each_other() -> None:
    Rollup.objects.create(name="evidence", until=NOW)
    done: list[int] = []

    def run() -> None:
        done.append(roll_up_evidence(NOW, NOW + HOUR + CLOSED_AFTER))
        connection.close()

    with transaction.atomic():
        Rollup.objects.select_for_update().get(name="evidence")
        other = threading.Thread(target=run)
        other.start()
        other.join(10)
        assert done == [0]
    assert roll_up_evidence(NOW, NOW + HOUR + CLOSED_AFTER) == 1


def test_the_task_goes_by_the_clock_and_is_run_by_beat() -> None:
    made = monitor()
    hour = floor_hour(timezone.now()) - 2 * HOUR
    record_evidence([result(made, "up", at=hour)])
    while tasks.roll_up():
        pass
    assert RegionHour.objects.get(monitor_id=made.pk).hour == hour
    assert evidence_rolled_up_until() in (hour + HOUR, hour + 2 * HOUR)
    assert "monitors.roll_up" in settings.CELERY_BEAT_SCHEDULE


LOOKS = st.lists(
    st.tuples(
        st.sampled_from(["up", "down", "missed", "error"]),
        st.sampled_from(["eu", "us"]),
        st.integers(1, 30_000).map(float),
    ),
    min_size=1,
    max_size=30,
)


@given(LOOKS)
@examples(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_rows_can_be_computed_again_from_the_evidence(looks: list[tuple[str, str, float]]) -> None:
    with transaction.atomic():
        made = monitor(account("any"))
        for minute, (outcome, region, ms) in enumerate(looks):
            see(made, outcome, minute, region, total_ms=ms)
        roll_up_hour(NOW)
        for region in {region for _, region, _ in looks}:
            seen = [(outcome, ms) for outcome, where, ms in looks if where == region]
            outcomes = [outcome for outcome, _ in seen]
            up = sorted(ms for outcome, ms in seen if outcome == "up")
            failures = outcomes.count("down")
            expected = counted(
                failures + len(up), failures, outcomes.count("missed"), outcomes.count("error")
            )
            latency = {
                "p50_ms": median_low(up) if up else None,
                "p95_ms": up[-(-95 * len(up) // 100) - 1] if up else None,
                "max_ms": up[-1] if up else None,
            }
            assert row(made, region) == expected | latency
        transaction.set_rollback(True)
