"""Dispatch: regions in turn, many checks a message, a lease a message, and what was lost goes elsewhere."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import transaction
from msgspec.structs import replace

from monitors.dispatch import BATCH_SIZE, dispatch, plan
from monitors.models import Lease, MonitorState
from monitors.scheduling import Claim, claim_lost
from monitors.timing import LATEST_START, TRANSPORT
from probes.instants import from_unix_ms, unix_ms
from probes.messages import Batch
from tests.make import NOW, REGIONS, account, monitor, seconds


def claim(monitor_id: int = 1, at: datetime = NOW, **changes: object) -> Claim:
    plain = Claim(
        monitor_id=monitor_id,
        config_version=3,
        status="up",
        scheduled_at_ms=unix_ms(at),
        interval_seconds=60,
        type="http",
        url="http://127.0.0.1:9/",
        timeout_ms=10_000,
        options={"expected_status": 200},
    )
    return replace(plain, **changes)


def end_of(batch: Batch) -> datetime:
    assert batch.expires_at_ms
    return from_unix_ms(batch.expires_at_ms)


def test_a_monitor_is_looked_at_from_each_region_in_turn() -> None:
    seen = [plan([claim(at=NOW + step * seconds(60))], REGIONS, NOW)[0].region for step in range(6)]
    assert sorted(seen[:3]) == sorted(REGIONS)
    assert seen[3:] == seen[:3]


def test_four_thousand_checks_take_few_messages_and_each_is_in_one() -> None:
    dispatches = plan([claim(id_) for id_ in range(1, 4_001)], REGIONS, NOW)
    assert max(len(each.requests) for each in dispatches) == BATCH_SIZE
    assert len(dispatches) == 2 * len(REGIONS)
    asked = [request.monitor_id for each in dispatches for request in each.requests]
    assert sorted(asked) == list(range(1, 4_001))


def test_a_claim_without_a_target_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    claims = [claim(1, type="tcp", url="no port"), claim(2), claim(3, type="gone")]
    (batch,) = plan(claims, ["eu"], NOW)
    assert [request.monitor_id for request in batch.requests] == [2]
    assert [(record.message, record.monitor) for record in caplog.records] == [  # type: ignore[attr-defined]
        ("dispatch.no_target", 1),
        ("dispatch.no_target", 3),
    ]


def test_a_slow_timeout_does_not_stretch_the_lease_of_the_others() -> None:
    quick, slow = plan([claim(1), claim(1, timeout_ms=30_000)], REGIONS[:1], NOW)
    assert quick.expires_at_ms == unix_ms(NOW + LATEST_START + seconds(10) + TRANSPORT)
    assert slow.expires_at_ms == unix_ms(NOW + LATEST_START + seconds(30) + TRANSPORT)


def test_a_check_is_too_late_when_the_next_is_due() -> None:
    batch = plan([claim(interval_seconds=1)], REGIONS, NOW)[0]
    assert batch.requests[0].start_by_ms == unix_ms(NOW + seconds(1))
    assert batch.requests[0].config_version == 3


@pytest.mark.parametrize(("status", "after_ms"), [("up", 1_500), ("unknown", 1_500), ("down", None)])
def test_a_probe_that_takes_long_is_suspected_unless_its_target_is_known_to_be_down(
    status: str, after_ms: int | None
) -> None:
    request = plan([claim(status=status)], REGIONS, NOW)[0].requests[0]
    assert request.suspect_after_ms == after_ms


@pytest.mark.django_db
def test_the_lease_is_in_the_transaction_of_the_claim() -> None:
    with transaction.atomic():
        dispatch([claim()], REGIONS, NOW)
        transaction.set_rollback(True)
    assert not Lease.objects.exists()


@pytest.mark.django_db
def test_what_is_unanswered_when_its_lease_runs_out_is_claimed_again_once_for_another_region() -> None:
    made = monitor()
    first = dispatch([claim(made.pk)], REGIONS, NOW)[0]
    end = end_of(first)
    assert claim_lost(end - seconds(0.001), 10) == []
    again = claim_lost(end, 10)
    slot_ms = unix_ms(NOW)
    assert [(each.monitor_id, each.attempt, each.scheduled_at_ms) for each in again] == [
        (made.pk, 2, slot_ms)
    ]
    second = dispatch(again, REGIONS, end)[0]
    assert second.region != first.region
    assert second.requests[0].attempt == 2
    assert claim_lost(end_of(second), 10) == []
    assert not Lease.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("interval", "away", "is_claimed"), [(60, 59, 1), (60, 61, 0), (1, 59, 1), (86_400, 600, 1)]
)
def test_what_ran_out_in_an_outage_of_ours_is_claimed_again_unless_a_slot_has_come_since(
    interval: int, away: float, is_claimed: int
) -> None:
    made = monitor(interval_seconds=interval)
    batch = dispatch([claim(made.pk)], REGIONS, NOW)[0]
    assert len(claim_lost(end_of(batch) + seconds(away), 10)) == is_claimed
    assert not Lease.objects.exists()


@pytest.mark.django_db
def test_with_one_region_left_the_second_look_comes_from_there() -> None:
    lost = claim(attempt=2, lost_in="eu")
    assert plan([lost], ["eu"], NOW)[0].region == "eu"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [{"last_scheduled_at": NOW}, {"last_scheduled_at": NOW + seconds(60)}, {"scheduled_since": None}],
    ids=["answered", "answered for a newer slot", "disabled"],
)
def test_what_needs_no_second_look_gets_none(change: dict[str, object]) -> None:
    made = monitor()
    batch = dispatch([claim(made.pk)], REGIONS, NOW)[0]
    MonitorState.objects.update(**change)
    assert claim_lost(end_of(batch), 10) == []


@pytest.mark.django_db
def test_a_monitor_deleted_meanwhile_is_not_looked_at() -> None:
    made = monitor(account("bob"))
    batch = dispatch([claim(made.pk)], REGIONS, NOW)[0]
    made.delete()
    assert claim_lost(end_of(batch), 10) == []
