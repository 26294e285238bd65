"""The claim: what is due, once, whoever asks, and on to the next slot."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from monitors.models import Monitor, MonitorState
from monitors.scheduling import Claim, claim_due
from monitors.slots import latest_slot_ms, next_slot_ms
from probes.instants import unix_ms
from tests.make import NOW, account, monitor, seconds


def make_due(count: int, **fields: Any) -> list[Monitor]:
    owner = account()
    made = [monitor(owner, url=f"http://127.0.0.1:9/{number}", **fields) for number in range(count)]
    MonitorState.objects.update(next_check_at=NOW - seconds(1))
    return made


@pytest.mark.django_db
def test_what_is_due_is_claimed_as_it_is_configured() -> None:
    made = monitor(options={"expected_status": 204, "body_match": "ok"})
    MonitorState.objects.update(next_check_at=NOW)
    assert claim_due(NOW, 10) == [
        Claim(
            monitor_id=made.pk,
            config_version=1,
            status="up",
            scheduled_at_ms=unix_ms(NOW),
            interval_seconds=60,
            type="http",
            url=made.url,
            timeout_ms=10_000,
            options={"expected_status": 204, "body_match": "ok"},
        )
    ]


@pytest.mark.django_db
def test_nothing_is_claimed_before_it_is_due_nor_while_disabled() -> None:
    monitor()
    monitor(account("bob"), enabled=False)
    assert claim_due(NOW, 10) == []


@pytest.mark.django_db
@pytest.mark.parametrize("interval", [1, 7, 60, 86_400])
@pytest.mark.parametrize("late", [0, 0.5, 59, 90_000])
def test_a_claim_moves_the_monitor_to_its_next_slot_on_the_grid(interval: int, late: float) -> None:
    made = monitor(interval_seconds=interval)
    due = MonitorState.objects.get().next_check_at
    assert due
    now = due + seconds(late)
    claims = claim_due(now, 10)
    latest = latest_slot_ms(made.pk, interval * 1000, unix_ms(now))
    assert [claim.scheduled_at_ms for claim in claims] == [latest]
    following = MonitorState.objects.get().next_check_at
    assert following
    assert unix_ms(following) == next_slot_ms(made.pk, interval * 1000, unix_ms(now))


@pytest.mark.django_db
@pytest.mark.parametrize(("late", "missed"), [(0, 0), (59, 0), (60, 1), (601, 10)])
def test_slots_that_were_slept_through_are_counted_and_not_run(late: float, missed: int) -> None:
    monitor(interval_seconds=60)
    due = MonitorState.objects.get().next_check_at
    assert due
    assert len(claim_due(due + seconds(late), 10)) == 1
    assert MonitorState.objects.get().missed_checks == missed


@pytest.mark.django_db
def test_a_check_off_the_grid_keeps_its_own_instant() -> None:
    made = monitor(interval_seconds=3_600)
    at_once = next_slot_ms(made.pk, 3_600_000, unix_ms(NOW)) - 1_000
    MonitorState.objects.update(next_check_at=NOW)
    claim = claim_due(NOW + seconds(1), 10)[0]
    assert claim.scheduled_at_ms == unix_ms(NOW) < at_once


@pytest.mark.django_db
def test_the_longest_overdue_come_first_and_no_more_than_asked_for() -> None:
    made = make_due(3)
    MonitorState.objects.filter(pk=made[2].pk).update(next_check_at=NOW - seconds(5))
    assert [claim.monitor_id for claim in claim_due(NOW, 1)] == [made[2].pk]
    assert len(claim_due(NOW, 10)) == 2
    assert claim_due(NOW, 10) == []


def in_own_connection(limit: int, hold: threading.Event, claimed: threading.Event) -> list[int]:
    try:
        with transaction.atomic():
            ids = [claim.monitor_id for claim in claim_due(NOW, limit)]
            claimed.set()
            assert hold.wait(10)
        return ids
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_claim_nothing_twice_and_do_not_wait_for_each_other() -> None:
    made = {each.pk for each in make_due(10)}
    hold, claimed = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_own_connection, 6, hold, claimed)
        assert claimed.wait(10)
        second = [claim.monitor_id for claim in claim_due(NOW, 10)]
        hold.set()
        assert len(first.result()) == 6
        assert sorted([*first.result(), *second]) == sorted(made)
    assert claim_due(NOW, 10) == []


@pytest.mark.django_db(transaction=True)
def test_catching_up_with_four_schedulers_claims_each_slot_once() -> None:
    made = make_due(50, interval_seconds=1)
    instants = [NOW + seconds(step) for step in range(20)]

    def scheduler(_: int) -> list[tuple[int, int]]:
        try:
            return [
                (claim.monitor_id, claim.scheduled_at_ms) for now in instants for claim in claim_due(now, 20)
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claims = [claim for part in pool.map(scheduler, range(4)) for claim in part]
    assert len(claims) == len(set(claims))
    assert {monitor_id for monitor_id, _ in claims} == {each.pk for each in made}
