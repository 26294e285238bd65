"""The grid: spread by the id, stable, without drift, and the same in SQL as in Python."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.db.models.expressions import RawSQL
from hypothesis import given
from hypothesis import strategies as st

from monitors.models import MonitorState
from monitors.phases import PHASE_MS, PHASE_MS_SQL
from monitors.slots import latest_slot_ms, next_slot_ms, phase_ms, turn
from tests.make import monitor

ids = st.integers(1, 2**63 - 1)
intervals = st.integers(1, 86_400).map(lambda seconds: seconds * 1000)
instants = st.integers(1_500_000_000_000, 4_000_000_000_000)


@given(ids, intervals, instants)
def test_now_lies_between_the_latest_slot_and_the_next(id_: int, interval: int, now: int) -> None:
    latest, following = latest_slot_ms(id_, interval, now), next_slot_ms(id_, interval, now)
    assert latest <= now < following == latest + interval
    assert latest % interval == phase_ms(id_, interval)


@given(ids, intervals, instants, st.integers(0, 10_000))
def test_a_slot_does_not_drift_however_late_it_is_asked_for(
    id_: int, interval: int, now: int, late: int
) -> None:
    assert (
        next_slot_ms(id_, interval, now + late * interval) - next_slot_ms(id_, interval, now)
    ) % interval == 0


@pytest.mark.parametrize("interval", [1_000, 20_000, 60_000, 300_000])
@pytest.mark.parametrize("first", [1, 7_777, 1_000_000])
def test_a_thousand_monitors_of_one_account_do_not_bunch(interval: int, first: int) -> None:
    phases = sorted(phase_ms(id_, interval) for id_ in range(first, first + 1_000))
    widest = max(after - before for before, after in pairwise([*phases, phases[0] + interval]))
    assert widest <= 3 * interval / 1_000 + 1


@given(ids, intervals, instants, st.integers(1, 7))
def test_regions_take_turns(id_: int, interval: int, now: int, regions: int) -> None:
    slots = [latest_slot_ms(id_, interval, now) + step * interval for step in range(regions)]
    assert sorted(turn(id_, interval, slot, regions) for slot in slots) == list(range(regions))


@pytest.mark.django_db
@pytest.mark.parametrize("id_", [1, 7_777, 2**31 - 1, 2**31, 2**40 + 12_345])
@pytest.mark.parametrize("interval_seconds", [1, 7, 60, 86_400])
def test_the_database_has_the_same_phase(id_: int, interval_seconds: int) -> None:
    monitor(id=id_, interval_seconds=interval_seconds)
    state = MonitorState.objects.annotate(by_django=PHASE_MS, by_sql=RawSQL(PHASE_MS_SQL, ())).get()
    assert state.by_django == state.by_sql == phase_ms(id_, interval_seconds * 1000)
