"""A scheduler that runs whenever it likes: each slot is claimed once, or counted as missed."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.models import Monitor, MonitorState
from monitors.scheduled import Schedule
from monitors.scheduling import claim_due
from monitors.slots import latest_slot_ms, phase_ms
from probes.instants import unix_ms
from tests.make import NOW, account, monitor, seconds

intervals = st.sampled_from((1, 2, 3, 7, 30))
steps = st.integers(1, 20_000) | st.integers(1, 1_500)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None)
@given(
    made=st.lists(st.tuples(intervals, st.integers(0, 5_000)), min_size=1, max_size=5),
    steps_ms=st.lists(steps, min_size=1, max_size=12),
    limit=st.integers(1, 4),
)
def test_each_slot_is_claimed_once_or_missed(
    made: list[tuple[int, int]], steps_ms: list[int], limit: int
) -> None:
    with transaction.atomic():
        monitors = [scheduled(number, *each) for number, each in enumerate(made)]
        claimed: Counter[tuple[int, int]] = Counter()
        now = NOW
        for step in steps_ms:
            now += seconds(step / 1000)
            claims = claim_due(now, limit)
            claimed.update((claim.monitor_id, claim.scheduled_at_ms) for claim in claims)
            assert all(claim.scheduled_at_ms <= unix_ms(now) for claim in claims)
        assert set(claimed.values()) <= {1}
        for each in monitors:
            check(each, {slot for monitor_id, slot in claimed if monitor_id == each.pk})
        transaction.set_rollback(True)


def scheduled(number: int, interval_seconds: int, since_ms: int) -> Monitor:
    made = monitor(account(f"{number}"), interval_seconds=interval_seconds)
    MonitorState.objects.filter(pk=made.pk).update(scheduled_since=NOW + seconds(since_ms / 1000))
    return made


def check(made: Monitor, claimed: set[int]) -> None:
    """All its slots up to where its interval is claimed are those `claimed`, and missed ones."""
    state = MonitorState.objects.get(pk=made.pk)
    assert state.scheduled_since
    since_ms, interval_ms = unix_ms(state.scheduled_since), made.interval_seconds * 1000
    until_ms = max(since_ms, unix_ms(Schedule.objects.get(pk=made.interval_seconds).claimed_until))
    first, last = (latest_slot_ms(made.pk, interval_ms, instant) for instant in (since_ms, until_ms))
    assert len(claimed) + state.missed_checks == (last - first) // interval_ms
    assert all(since_ms < slot <= until_ms for slot in claimed)
    assert {slot % interval_ms for slot in claimed} <= {phase_ms(made.pk, interval_ms)}
