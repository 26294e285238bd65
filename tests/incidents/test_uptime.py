"""Uptime: by the rule of docs/uptime.md, and computed again from the rows that it is made of."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents import rollups
from incidents.lifecycle import create_monitor, update_monitor
from incidents.models import Incident, MonitorHour, Round
from incidents.uptime import Period, Uptime, seconds_within, uptime, watched
from monitors.evidence import record_evidence
from monitors.history import STEPS, Counts, Window, latency
from monitors.hours import HOUR
from monitors.models import Evidence, Monitor, RegionHour, WatchedPeriod
from monitors.partitions import REGION_HOURS
from monitors.rollups import roll_up_evidence
from tests.incidents.test_rollups import down, round_of
from tests.make import NOW, account, monitor, result, seconds

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
LONG_AGO = NOW - timedelta(days=200)


def of(made: Monitor, window: str = "24h", now: datetime = NOW) -> Uptime:
    return uptime(made.pk, Window.of(window, now))


def see(made: Monitor, *minutes: float, outcome: str = "up") -> None:
    for minute in minutes:
        record_evidence([result(made, outcome, at=NOW + minute * MINUTE)])


def roll_up_everything(now: datetime = NOW) -> None:
    while roll_up_evidence(now - timedelta(days=2), now) or rollups.roll_up_downtime(now):
        pass


def test_it_is_the_share_of_the_watched_time_that_was_not_confirmed_down() -> None:
    made = monitor(created_at=LONG_AGO)
    see(made, -5)
    down(made, -100, -28)
    found = of(made)
    assert (found.watched_seconds, found.trouble.downtime_seconds) == (86_400.0, 72 * 60.0)
    assert found.percent == 95.0


def test_a_pause_is_left_out() -> None:
    made = monitor(created_at=LONG_AGO)
    see(made, -5)
    WatchedPeriod.objects.update(ended_at=NOW - 8 * HOUR)
    WatchedPeriod.objects.create(monitor=made, began_at=NOW - 2 * HOUR)
    down(made, -60, 0)
    found = of(made)
    assert found.watched_seconds == 18 * 3600.0
    assert found.percent == 94.4444


def test_only_the_times_that_reach_into_a_window_are_read() -> None:
    made, other = monitor(enabled=False), monitor(account("bob"), created_at=LONG_AGO)
    window = Window.of("24h", NOW)
    before, within = (window.since - HOUR, window.since), (window.since, window.since + MINUTE)
    lasting = (NOW, None)
    for began, ended in (before, within, lasting):
        WatchedPeriod.objects.create(monitor=made, began_at=began, ended_at=ended)
    assert watched(made.pk, window) == [within]
    assert watched(made.pk, Window.of("24h", NOW + MINUTE)) == [within, lasting]
    assert watched(other.pk, window) == [(LONG_AGO, None)]


def test_before_it_existed_there_is_nothing_to_be_up() -> None:
    made = monitor(created_at=NOW - HOUR)
    see(made, -5)
    down(made, -30)
    assert (of(made, "90d").watched_seconds, of(made, "90d").percent) == (3600.0, 50.0)


def test_it_is_rounded_down_so_that_100_is_without_any_downtime() -> None:
    made = monitor(created_at=LONG_AGO)
    see(made, -5)
    assert of(made, "90d").percent == 100.0
    down(made, -10, -10 + 1 / 60)
    assert of(made, "90d").percent == 99.9999


def test_what_was_not_confirmed_is_no_downtime_and_is_shown() -> None:
    made = monitor(created_at=LONG_AGO)
    see(made, -50, -49)
    see(made, -48, -47, -46, outcome="down")
    see(made, -45, outcome="missed")
    see(made, -44, outcome="error")
    round_of(made, -48)
    found = of(made)
    assert found.percent == 100.0
    assert found.counts == Counts(checks=5, failures=3, missed=1, errors=1)
    assert (found.trouble.inconclusive, found.trouble.incidents) == (1, 0)


def test_nothing_seen_is_no_percentage() -> None:
    made = monitor(created_at=LONG_AGO)
    see(made, -5, outcome="missed")
    assert of(made).percent is None
    assert of(monitor(account("bob"), enabled=False)).percent is None


def test_a_window_begins_with_the_hour_in_which_it_would_begin() -> None:
    for name, (length, _) in STEPS.items():
        window = Window.of(name, NOW + 34 * MINUTE)
        assert (window.since, window.until) == (NOW - length, NOW + 34 * MINUTE)


def test_the_answer_is_the_same_before_and_after_the_hours_are_rolled_up() -> None:
    made = monitor(created_at=LONG_AGO)
    see(made, *range(-300, -1, 7))
    see(made, *range(-299, -1, 50), outcome="down")
    down(made, -200, -130)
    down(made, -70)
    round_of(made, -150)
    fresh = of(made)
    roll_up_everything()
    assert RegionHour.objects.filter(monitor_id=made.pk).count() == 4
    assert MonitorHour.objects.filter(monitor=made).count() == 3
    assert of(made) == fresh


def test_it_can_be_computed_again_from_the_rows() -> None:
    made = monitor(created_at=NOW - 20 * HOUR)
    see(made, *range(-300, -1, 5))
    see(made, *range(-299, -1, 60), outcome="down")
    down(made, -250, -190)
    roll_up_everything()
    found = of(made)
    (incident,) = Incident.objects.filter(monitor=made)
    assert incident.resolved_at
    watched = (NOW - made.created_at).total_seconds()
    downtime = (incident.resolved_at - incident.started_at).total_seconds()
    voted = Evidence.objects.filter(monitor_id=made.pk, round_id=0, outcome__in=["up", "down"])
    assert found.counts.checks == voted.count()
    assert found.counts.failures == voted.filter(outcome="down").count()
    assert found.percent == int((1 - downtime / watched) * 1_000_000) / 10_000


def test_it_outlives_the_evidence_and_the_incidents() -> None:
    made = monitor(created_at=LONG_AGO)
    day = (NOW - timedelta(days=60)).date()
    REGION_HOURS.keep(day, day, horizon=day)
    hour = NOW - timedelta(days=60)
    RegionHour.objects.create(
        monitor_id=made.pk, hour=hour, region="eu", checks=60, failures=2, missed=0, errors=0
    )
    MonitorHour.objects.create(monitor=made, hour=hour, downtime_seconds=90, incidents=1, inconclusive=0)
    roll_up_everything()
    found = of(made, "90d")
    assert (found.counts.checks, found.trouble.downtime_seconds, found.trouble.incidents) == (60, 90.0, 1)
    assert of(made, "30d").percent is None


def test_pausing_and_resuming_is_noted_with_the_change() -> None:
    made = create_monitor(
        account(),
        {
            "name": "site",
            "url": "http://127.0.0.1:9/",
            "type": "http",
            "interval_seconds": 60,
            "timeout_ms": 1_000,
            "enabled": True,
        },
        NOW,
    )
    update_monitor(made, {"enabled": False}, NOW + 10 * MINUTE)
    update_monitor(made, {"enabled": False, "name": "renamed"}, NOW + 15 * MINUTE)
    update_monitor(made, {"enabled": True}, NOW + 30 * MINUTE)
    periods = WatchedPeriod.objects.order_by("began_at").values_list("began_at", "ended_at")
    assert list(periods) == [(NOW, NOW + 10 * MINUTE), (NOW + 30 * MINUTE, None)]
    assert of(made, now=NOW + 40 * MINUTE).watched_seconds == 20 * 60.0


def test_a_chart_has_the_latency_of_each_region_by_the_step() -> None:
    made = monitor(created_at=LONG_AGO)
    for minute, ms, region in ((-59, 10.0, "eu"), (-58, 30.0, "eu"), (-57, 20.0, "us"), (-40, 50.0, "eu")):
        record_evidence([result(made, "up", region, at=NOW + minute * MINUTE, total_ms=ms)])
    see(made, -20, outcome="down")
    day = latency(made.pk, Window.of("24h", NOW))
    assert [(each.at, each.region, each.checks, each.p50_ms, each.max_ms) for each in day] == [
        (NOW - HOUR, "eu", 2, 10.0, 30.0),
        (NOW - HOUR, "us", 1, 20.0, 20.0),
        (NOW - 45 * MINUTE, "eu", 1, 50.0, 50.0),
    ]
    roll_up_everything(NOW + 10 * MINUTE)
    week = latency(made.pk, Window.of("7d", NOW))
    assert [(each.at, each.region, each.checks, each.p50_ms) for each in week] == [
        (NOW - HOUR, "eu", 3, 30.0),
        (NOW - HOUR, "us", 1, 20.0),
    ]


def test_of_several_hours_the_percentiles_are_weighted_by_their_checks() -> None:
    made = monitor(created_at=LONG_AGO)
    for hour, (checks, ms) in enumerate([(30, 10.0), (10, 50.0)]):
        RegionHour.objects.create(
            monitor_id=made.pk,
            hour=NOW - 3 * HOUR + hour * HOUR,
            region="eu",
            checks=checks + 5,
            failures=5,
            missed=0,
            errors=0,
            p50_ms=ms,
            p95_ms=2 * ms,
            max_ms=3 * ms,
        )
    (point,) = latency(made.pk, Window.of("30d", NOW))
    assert (point.checks, point.p50_ms, point.p95_ms, point.max_ms) == (40, 20.0, 40.0, 150.0)


def test_another_monitors_rows_are_its_own() -> None:
    made, other = monitor(created_at=LONG_AGO), monitor(account("bob"), created_at=LONG_AGO)
    see(made, -5)
    see(other, -5, -4, outcome="down")
    down(other, -50, -40)
    round_of(other, -50)
    roll_up_everything()
    assert of(made).counts == Counts(checks=1)
    assert of(made).trouble == rollups.Trouble()
    assert Round.objects.count() == 1


EDGES = st.lists(st.integers(0, 10_000), min_size=0, max_size=10, unique=True).map(sorted)


@given(EDGES, st.integers(0, 10_000), st.integers(0, 10_000), st.booleans())
def test_periods_are_clipped_to_the_window_second_by_second(
    edges: list[int], one: int, other: int, lasting: bool
) -> None:
    since, until = sorted((one, other))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    periods: list[Period] = [(NOW + seconds(a), NOW + seconds(b)) for a, b in pairs]
    if lasting and len(edges) % 2:
        pairs.append((edges[-1], 20_000))
        periods.append((NOW + seconds(edges[-1]), None))
    expected = sum(len(range(max(a, since), min(b, until))) for a, b in pairs)
    assert seconds_within(periods, Window("24h", NOW + seconds(since), NOW + seconds(until))) == expected
