"""The interval of what is long down grows stepwise to five minutes, and never shrinks a longer one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from monitors.backoff import stretch_intervals
from monitors.models import MonitorState
from monitors.scheduling import claim_due
from monitors.slots import next_slot_ms
from probes.instants import unix_ms
from tests.beside import apart, wait_until_blocked
from tests.make import NOW, account, monitor, seconds

pytestmark = pytest.mark.django_db


def interval_after(minutes: float, configured: int, status: str = "down") -> int:
    made = monitor(status=status, interval_seconds=configured)
    MonitorState.objects.filter(pk=made.pk).update(status_since=NOW - seconds(minutes * 60))
    stretch_intervals(NOW)
    return MonitorState.objects.get(pk=made.pk).interval_seconds


@pytest.mark.parametrize(
    ("minutes", "seconds_in_force"),
    [(0, 20), (9.99, 20), (10, 60), (15, 120), (20, 180), (25, 240), (30, 300), (10_000, 300)],
)
def test_it_grows_with_the_downtime(minutes: float, seconds_in_force: int) -> None:
    assert interval_after(minutes, 20) == seconds_in_force


@pytest.mark.parametrize(("minutes", "configured"), [(12, 90), (60, 300), (60, 3_600)])
def test_a_longer_one_stays(minutes: float, configured: int) -> None:
    assert interval_after(minutes, configured) == configured


@pytest.mark.django_db(transaction=True)
def test_who_stretches_many_locks_in_the_order_of_ids() -> None:
    """Also where the table and its index have them in another: else two who lock many wait for each other."""
    low, high = (monitor(account(name), status="down", interval_seconds=20).pk for name in ("alice", "bob"))
    for pk, down_seconds in ((high, 710), (low, 700)):
        MonitorState.objects.filter(pk=pk).update(status_since=NOW - seconds(down_seconds))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            MonitorState.objects.select_for_update().get(pk=low)
            stretching = pool.submit(apart, lambda: stretch_intervals(NOW))
            wait_until_blocked()
            MonitorState.objects.select_for_update(nowait=True).get(pk=high)
        stretching.result(10)
    assert set(MonitorState.objects.values_list("interval_seconds", flat=True)) == {60}


@pytest.mark.parametrize("status", ["up", "unknown"])
def test_only_downtime_counts(status: str) -> None:
    assert interval_after(60, 20, status) == 20


def test_the_grid_of_the_new_interval_begins_when_it_does() -> None:
    made = monitor(status="down", interval_seconds=20)
    paused = monitor(account("bob"), status="down", interval_seconds=20, enabled=False)
    MonitorState.objects.update(status_since=NOW - seconds(700))
    claim_due(NOW + seconds(20), 10)
    now = NOW + seconds(2_000)
    stretch_intervals(now)
    since = dict(MonitorState.objects.values_list("pk", "scheduled_since"))
    assert since == {made.pk: now, paused.pk: None}
    stretch_intervals(now + seconds(1))
    claims = claim_due(now + seconds(300), 10)
    assert [claim.scheduled_at_ms for claim in claims] == [next_slot_ms(made.pk, 300_000, unix_ms(now))]
    assert MonitorState.objects.get(pk=made.pk).missed_checks == 0
