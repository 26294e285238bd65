"""The periodic tasks: what is overdue, calm or old is found, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from incidents import tasks
from incidents.confirmation import settle
from incidents.models import Incident, Round
from monitors.models import Monitor, MonitorState, OperatorEvent, WatchedPeriod
from tests.incidents.conftest import Outbox
from tests.make import NOW, account, live, monitor, result, seconds
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def incident(of: Monitor, **fields: Any) -> Incident:
    values: dict[str, Any] = {"type": "down", "reason": "refused", "mode": "2-of-3", "started_at": NOW}
    return Incident.objects.create(account=of.account, monitor=of, created_at=NOW, **(values | fields))


def test_the_sweep_ends_what_is_overdue_and_nothing_else(outbox: Outbox) -> None:
    now = timezone.now()
    live(now=now)
    made, fresh = monitor(), monitor(account("bob"))
    settle(result(made, "down", at=now), now - seconds(60))
    settle(result(fresh, "down", at=now), now)
    tasks.sweep()
    assert Round.objects.get(monitor=made).verdict == "inconclusive"
    assert Round.objects.get(monitor=fresh).closed_at is None


def test_flapping_ends_when_calm_with_one_event_of_what_it_settled_on() -> None:
    now = timezone.now()
    made, restless = monitor(status="down"), monitor(account("bob"))
    for each, minutes in ((made, 15), (restless, 14)):
        since = now - timedelta(minutes=minutes)
        MonitorState.objects.filter(pk=each.pk).update(flapping_since=since, status_since=since)
        incident(each, type="flapping")
    tasks.settle_down()
    state = MonitorState.objects.get(pk=made.pk)
    assert (state.flapping_since, state.status) == (None, "down")
    assert Incident.objects.get(monitor=made, type="flapping").resolution == "stable"
    assert Incident.objects.filter(monitor=made, type="down", resolved_at=None).exists()
    assert [(event.type, event.subject_id) for event in Event.objects.all()] == [("monitor.down", made.pk)]
    assert MonitorState.objects.get(pk=restless.pk).flapping_since


def test_incidents_and_receipts_are_kept_for_thirty_days_and_while_they_last() -> None:
    now = timezone.now()
    made = monitor()
    old, recent = now - timedelta(days=31), now - timedelta(days=29)
    kept = [
        incident(made, started_at=old, resolved_at=recent),
        incident(made, started_at=old, resolved_at=None),
    ]
    incident(made, started_at=old, resolved_at=old)
    for at in (old, recent):
        Round.objects.create(
            monitor=made,
            scheduled_at=at,
            config_version=1,
            mode="2-of-3",
            opened_at=at,
            deadline_at=at,
            verdict="up",
            closed_at=at,
        )
    tasks.forget_old()
    assert set(Incident.objects.all()) == set(kept)
    assert [each.opened_at for each in Round.objects.all()] == [recent]


def test_what_the_operator_was_told_is_kept_for_thirty_days_and_while_it_lasts() -> None:
    now = timezone.now()
    old, recent = now - timedelta(days=31), now - timedelta(days=29)
    for kind, ended_at in (("over", old), ("lately", recent), ("lasting", None)):
        OperatorEvent.objects.create(kind=kind, began_at=old, ended_at=ended_at)
    tasks.forget_old()
    assert set(OperatorEvent.objects.values_list("kind", flat=True)) == {"lately", "lasting"}


def test_when_a_monitor_was_watched_is_kept_as_long_as_its_hours(settings: Any) -> None:
    settings.ROLLUP_RETENTION_DAYS = 90
    made, began = monitor(enabled=False), timezone.now() - timedelta(days=91)
    kept = [began + timedelta(days=2), None]
    for ended_at in (began + timedelta(hours=23), *kept):
        WatchedPeriod.objects.create(monitor=made, began_at=began, ended_at=ended_at)
    tasks.forget_old()
    assert list(WatchedPeriod.objects.order_by("pk").values_list("ended_at", flat=True)) == kept


def test_sessions_of_staff_that_have_expired_are_dropped() -> None:
    now = timezone.now()
    for key, ends_at in (("over", now - seconds(1)), ("open", now + timedelta(hours=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=ends_at)
    tasks.forget_old()
    assert [each.session_key for each in Session.objects.all()] == ["open"]
