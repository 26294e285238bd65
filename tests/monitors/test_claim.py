"""The claim: each slot once, whoever asks, with nothing written to a monitor but what was slept through."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from monitors import schedules
from monitors.models import Monitor, MonitorState
from monitors.scheduled import Schedule
from monitors.scheduling import Claim, claim_due, count_due
from monitors.slots import latest_slot_ms, next_slot_ms
from probes.instants import from_unix_ms, unix_ms
from tests.beside import apart, wait_until_blocked
from tests.make import NOW, account, monitor, seconds

CYCLE = seconds(60)
TWIN = 2**31
"""Monitors whose ids are so far apart share their slots."""


def make_many(count: int, **fields: Any) -> list[Monitor]:
    owner = account()
    return [monitor(owner, url=f"http://127.0.0.1:9/{number}", **fields) for number in range(count)]


def first_slot(made: Monitor, after: datetime = NOW) -> datetime:
    return from_unix_ms(next_slot_ms(made.pk, made.interval_seconds * 1000, unix_ms(after)))


def pairs(claims: list[Claim]) -> list[tuple[int, int]]:
    return [(claim.monitor_id, claim.scheduled_at_ms) for claim in claims]


@pytest.mark.django_db
def test_what_is_due_is_claimed_as_it_is_configured() -> None:
    made = monitor(options={"expected_status": 204, "body_match": "ok"})
    due = first_slot(made)
    assert claim_due(due, 10) == [
        Claim(
            monitor_id=made.pk,
            config_version=1,
            status="up",
            scheduled_at_ms=unix_ms(due),
            interval_seconds=60,
            type="http",
            url=made.url,
            timeout_ms=10_000,
            options={"expected_status": 204, "body_match": "ok"},
        )
    ]


@pytest.mark.django_db
def test_nothing_is_claimed_before_it_is_due_nor_while_disabled() -> None:
    made = monitor()
    monitor(account("bob"), enabled=False)
    assert claim_due(first_slot(made) - seconds(0.001), 10) == []
    assert len(claim_due(first_slot(made) + CYCLE / 2, 10)) == 1
    assert claim_due(first_slot(made) + CYCLE / 2, 10) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("since_ms", "claimed"), [(-0.4, 1), (0, 0), (0.4, 0)])
def test_a_slot_counts_from_the_instant_since_which_it_is_looked_at(since_ms: float, claimed: int) -> None:
    made = monitor()
    due = first_slot(made)
    MonitorState.objects.update(scheduled_since=due + seconds(since_ms / 1000))
    assert len(claim_due(due + seconds(1), 10)) == claimed
    assert len(claim_due(due + CYCLE, 10)) == 1
    assert MonitorState.objects.get().missed_checks == 0


@pytest.mark.django_db
@pytest.mark.parametrize("interval", [1, 7, 60, 86_400])
@pytest.mark.parametrize("late", [0, 0.5, 59, 90_000])
def test_a_claim_is_for_the_latest_slot_and_the_next_one_for_the_next(interval: int, late: float) -> None:
    made = monitor(interval_seconds=interval)
    now = first_slot(made) + seconds(late)
    latest = latest_slot_ms(made.pk, interval * 1000, unix_ms(now))
    assert pairs(claim_due(now, 10)) == [(made.pk, latest)]
    following = latest + interval * 1000
    assert claim_due(from_unix_ms(following - 1), 10) == []
    assert pairs(claim_due(from_unix_ms(following), 10)) == [(made.pk, following)]


@pytest.mark.django_db
@pytest.mark.parametrize(("late", "missed"), [(0, 0), (59, 0), (60, 1), (119, 1), (601, 10)])
def test_slots_that_were_slept_through_are_counted_and_not_run(late: float, missed: int) -> None:
    made = monitor(interval_seconds=60)
    assert len(claim_due(first_slot(made) + seconds(late), 10)) == 1
    assert MonitorState.objects.get().missed_checks == missed


@pytest.mark.django_db
def test_what_is_in_time_is_claimed_without_a_write_to_its_row() -> None:
    made = monitor()
    versions = MonitorState.objects.extra(select={"version": "xmin::text || ctid::text"})
    before = versions.values_list("version", flat=True)[0]
    assert len(claim_due(first_slot(made), 10)) == 1
    assert versions.values_list("version", flat=True)[0] == before


@pytest.mark.django_db
@pytest.mark.parametrize("ahead_seconds", [61, 86_400])
def test_a_clock_that_was_ahead_stops_no_schedule(ahead_seconds: int) -> None:
    made = monitor()
    due = first_slot(made)
    claim_due(due + seconds(ahead_seconds), 10)
    assert claim_due(due - seconds(0.5), 10) == []
    assert pairs(claim_due(due, 10)) == [(made.pk, unix_ms(due))]
    assert MonitorState.objects.get().missed_checks == ahead_seconds // 60


@pytest.mark.django_db
def test_what_a_clock_told_of_monitors_that_was_ahead_is_undone() -> None:
    """Results of its slots would be newer than all that follow, and its grids would begin when it says."""
    made, other = monitor(), monitor(account("bob"))
    wrong = NOW + seconds(86_400)
    claim_due(wrong, 10)
    MonitorState.objects.filter(pk=made.pk).update(last_scheduled_at=wrong, scheduled_since=wrong)
    MonitorState.objects.filter(pk=other.pk).update(last_scheduled_at=NOW)
    claim_due(NOW + seconds(1), 10)
    assert list(MonitorState.objects.order_by("pk").values_list("last_scheduled_at", "scheduled_since")) == [
        (None, NOW + seconds(1)),
        (NOW, NOW),
    ]
    assert {claim.monitor_id for claim in claim_due(NOW + seconds(1) + CYCLE, 10)} == {made.pk, other.pk}


@pytest.mark.django_db
def test_an_interval_that_a_monitor_has_again_meanwhile_is_not_forgotten() -> None:
    monitor(interval_seconds=30)
    claim_due(NOW, 10)
    schedules._end({30})
    assert Schedule.objects.get().interval_seconds == 30


@pytest.mark.django_db
def test_a_scheduler_whose_clock_is_a_little_behind_claims_nothing_again() -> None:
    made = monitor()
    due = first_slot(made)
    assert len(claim_due(due + seconds(30), 10)) == 1
    assert claim_due(due - seconds(1), 10) == []
    assert claim_due(due + seconds(1), 10) == []


@pytest.mark.django_db
def test_a_check_off_the_grid_keeps_its_own_instant_and_comes_once_and_first() -> None:
    made = monitor()
    due = first_slot(made)
    MonitorState.objects.update(extra_check_at=due - seconds(1))
    assert claim_due(due - seconds(1.001), 10) == []
    assert pairs(claim_due(due, 10)) == [(made.pk, unix_ms(due) - 1_000), (made.pk, unix_ms(due))]
    assert claim_due(due + seconds(1), 10) == []


@pytest.mark.django_db
def test_a_check_off_the_grid_that_a_slot_has_overtaken_is_dropped() -> None:
    made = monitor()
    due = first_slot(made)
    MonitorState.objects.update(extra_check_at=due - CYCLE)
    assert pairs(claim_due(due, 10)) == [(made.pk, unix_ms(due))]
    assert MonitorState.objects.get().extra_check_at is None


@pytest.mark.django_db
def test_the_longest_overdue_come_first_and_no_more_than_asked_for() -> None:
    made = sorted(make_many(3), key=first_slot)
    for each in made:
        assert pairs(claim_due(NOW + CYCLE, 1)) == [(each.pk, unix_ms(first_slot(each)))]
    assert claim_due(NOW + CYCLE, 1) == []


@pytest.mark.django_db
def test_monitors_that_share_a_slot_are_claimed_together_whatever_the_limit() -> None:
    twins = {each.pk for each in (monitor(account(f"{k}"), id=7 + k * TWIN) for k in range(4))}
    other = monitor(account(), id=8)
    claims = [[claim.monitor_id for claim in claim_due(NOW + CYCLE, 2)] for _ in range(3)]
    assert all(twins.intersection(each) in (set(), twins) for each in claims)
    assert sorted(id_ for each in claims for id_ in each) == sorted([*twins, other.pk])


@pytest.mark.django_db
def test_the_limit_holds_for_each_interval() -> None:
    made = [*make_many(3), *(monitor(account(f"{k}"), interval_seconds=30) for k in range(3))]
    claims = [claim_due(NOW + seconds(30), 2) for _ in range(4)]
    assert all(
        len([claim for claim in each if claim.interval_seconds == interval]) <= 2
        for each in claims
        for interval in (30, 60)
    )
    due = {(each.pk, unix_ms(first_slot(each))) for each in made if first_slot(each) <= NOW + seconds(30)}
    assert sorted(pair for each in claims for pair in pairs(each)) == sorted(due)


@pytest.mark.django_db
def test_a_new_interval_begins_with_its_first_monitor() -> None:
    monitor()
    claim_due(NOW + seconds(1), 10)
    new = monitor(account("bob"), interval_seconds=7)
    MonitorState.objects.filter(pk=new.pk).update(scheduled_since=NOW + seconds(1))
    claims = claim_due(NOW + seconds(8), 10)
    expected = (new.pk, unix_ms(first_slot(new, NOW + seconds(1))))
    assert [pair for pair in pairs(claims) if pair[0] == new.pk] == [expected]
    assert MonitorState.objects.get(pk=new.pk).missed_checks == 0


@pytest.mark.django_db
def test_an_interval_that_nobody_uses_any_more_is_forgotten() -> None:
    made = monitor()
    monitor(account("bob"), interval_seconds=7)
    claim_due(NOW + seconds(1), 10)
    assert set(Schedule.objects.values_list("pk", flat=True)) == {7, 60}
    MonitorState.objects.filter(pk=made.pk).update(scheduled_since=None)
    claim_due(NOW + seconds(2), 10)
    assert set(Schedule.objects.values_list("pk", flat=True)) == {7}


@pytest.mark.django_db
def test_what_was_paused_is_not_looked_at_and_nothing_of_that_time_is_missed() -> None:
    made = monitor()
    other = monitor(account("bob"))
    claim_due(NOW + CYCLE, 10)
    state = MonitorState.objects.filter(pk=made.pk)
    state.update(scheduled_since=None)
    assert {claim.monitor_id for claim in claim_due(NOW + 2 * CYCLE, 10)} == {other.pk}
    state.update(scheduled_since=NOW + 9 * CYCLE)
    assert {claim.monitor_id for claim in claim_due(NOW + 10 * CYCLE, 10)} == {made.pk, other.pk}
    missed = dict(MonitorState.objects.values_list("pk", "missed_checks"))
    assert missed == {made.pk: 0, other.pk: 7}


@pytest.mark.django_db
def test_what_is_due_can_be_counted_without_being_claimed() -> None:
    make_many(3)
    claim_due(NOW, 10)
    assert count_due(NOW, 10) == 0
    assert [count_due(NOW + CYCLE, most) for most in (2, 10)] == [2, 3]
    MonitorState.objects.update(extra_check_at=NOW + CYCLE)
    assert [count_due(NOW + CYCLE, most) for most in (2, 5, 10)] == [2, 5, 6]
    assert count_due(NOW + 10 * CYCLE, 10) == 6
    assert len(claim_due(NOW + CYCLE, 10)) == 6
    assert count_due(NOW + CYCLE, 10) == 0


@pytest.mark.django_db
def test_a_claim_that_is_rolled_back_is_made_by_the_next() -> None:
    made = monitor()
    MonitorState.objects.update(extra_check_at=NOW + seconds(30))
    with transaction.atomic():
        lost = claim_due(NOW + CYCLE, 10)
        transaction.set_rollback(True)
    assert claim_due(NOW + CYCLE, 10) == lost
    assert [claim.monitor_id for claim in lost] == [made.pk, made.pk]


def claim_and_hold(hold: threading.Event, claimed: threading.Event, fail: bool) -> list[tuple[int, int]]:
    try:
        with transaction.atomic():
            claims = claim_due(NOW + CYCLE, 10)
            claimed.set()
            assert hold.wait(10)
            transaction.set_rollback(fail)
        return pairs(claims)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fails", [False, True])
def test_a_second_scheduler_takes_nothing_that_another_holds_and_does_not_wait(fails: bool) -> None:
    made = {each.pk for each in make_many(10)}
    hold, claimed = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(claim_and_hold, hold, claimed, fails)
        assert claimed.wait(10)
        new = monitor(account("bob"), interval_seconds=7)
        MonitorState.objects.filter(pk=min(made)).update(extra_check_at=NOW + seconds(1))
        second = claim_due(NOW + CYCLE, 10)
        assert not first.done()
        assert [claim.monitor_id for claim in second] == [min(made)]
        hold.set()
        held = first.result()
    assert {monitor_id for monitor_id, _ in held} == made
    after = pairs(claim_due(NOW + CYCLE, 10))
    assert [pair for pair in after if pair[0] != new.pk] == (held if fails else [])
    assert [monitor_id for monitor_id, _ in after].count(new.pk) == 1


@pytest.mark.django_db(transaction=True)
def test_a_scheduler_that_stands_still_loses_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    make_many(3)
    monkeypatch.setattr(schedules, "PATIENCE_SECONDS", 1)
    hold, claimed = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        still = pool.submit(claim_and_hold, hold, claimed, False)
        assert claimed.wait(10)
        wait_until(lambda: len(claim_due(NOW + CYCLE, 10)) == 3)
        hold.set()
        with pytest.raises(DatabaseError):
            still.result(10)


@pytest.mark.django_db(transaction=True)
def test_an_edit_does_not_wait_for_a_claim() -> None:
    made = monitor()
    hold, claimed = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(claim_and_hold, hold, claimed, False)
        assert claimed.wait(10)
        with transaction.atomic():
            MonitorState.objects.select_for_update().get(pk=made.pk)
        assert not first.done()
        hold.set()
        assert len(first.result()) == 1


def sleep_through() -> None:
    schedules.miss({60: unix_ms(NOW), 30: unix_ms(NOW)}, unix_ms(NOW + 2 * CYCLE))


@pytest.mark.django_db(transaction=True)
def test_who_counts_what_was_missed_locks_in_the_order_of_ids() -> None:
    low, high = monitor(interval_seconds=30).pk, monitor(account("bob"), interval_seconds=60).pk
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            MonitorState.objects.select_for_update().get(pk=low)
            counting = pool.submit(apart, sleep_through)
            wait_until_blocked()
            MonitorState.objects.select_for_update(nowait=True).get(pk=high)
        counting.result(10)
    assert dict(MonitorState.objects.values_list("pk", "missed_checks")) == {low: 3, high: 1}


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_catching_up_with_four_schedulers_claims_each_slot_once() -> None:
    made = make_many(25, interval_seconds=1)
    made += [monitor(account(f"{k}"), interval_seconds=2) for k in range(25)]
    instants = [NOW + seconds(step * 0.7) for step in range(20)]

    def scheduler(_: int) -> list[tuple[int, int]]:
        try:
            return [pair for now in instants for pair in pairs(claim_due(now, 10))]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claims = [pair for part in pool.map(scheduler, range(4)) for pair in part]
    while more := pairs(claim_due(instants[-1], 10)):
        claims += more
    assert len(claims) == len(set(claims))
    missed = dict(MonitorState.objects.values_list("pk", "missed_checks"))
    for each in made:
        interval_ms = each.interval_seconds * 1000
        last = latest_slot_ms(each.pk, interval_ms, unix_ms(instants[-1]))
        slots = (last - latest_slot_ms(each.pk, interval_ms, unix_ms(NOW))) // interval_ms
        assert [monitor_id for monitor_id, _ in claims].count(each.pk) + missed[each.pk] == slots
