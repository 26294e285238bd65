"""What the tasks do of one row or result that raises: it is logged, and the others have their turn."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from accounts.models import Server
from incidents import agents, tasks
from incidents.confirmation import settle
from incidents.flapping import CALM
from incidents.models import Round
from monitors.models import Evidence, Heartbeat, Monitor, MonitorState, Pulse
from probes.instants import from_unix_ms, unix_ms
from probes.messages import ProbeResult, Results, pack
from tests.incidents.conftest import Outbox
from tests.make import account, heartbeat, live, monitor, result, seconds, server

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NO_ZONE = "Europe/Atlantis"
NO_STATUS = "gremlin"
"""What no code that is running knows."""


def three(**fields: Any) -> list[Monitor]:
    """Monitors that are up."""
    owner = account()
    return [monitor(owner, url=f"http://127.0.0.{number}/", **fields) for number in (1, 2, 3)]


def spoil(made: Monitor) -> None:
    MonitorState.objects.filter(pk=made.pk).update(status=NO_STATUS)


def absent_servers(now: datetime) -> list[Server]:
    """Three whose absence is to be noted `now`."""
    live(now=now)
    Pulse.objects.update(since=now - DAY)
    owner = account()
    return [server(owner, seen=now - DAY, name=f"web-{number}") for number in (1, 2, 3)]


def test_a_round_that_cannot_be_settled_holds_up_no_other(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    now = timezone.now()
    live(now=now)
    made = three()
    for each in made:
        settle(result(each, "down", at=now), now - seconds(60))
    spoil(made[1])
    tasks.sweep()
    still_open = Round.objects.filter(closed_at=None)
    assert list(still_open.values_list("monitor", flat=True)) == [made[1].pk]
    (logged,) = caplog.records
    assert logged.getMessage() == "step.failed"
    assert vars(logged)["step"] == "settle_overdue"
    assert vars(logged)["id"] == made[1].pk


def test_a_heartbeat_whose_time_zone_is_gone_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    now = timezone.now()
    live(now=now)
    Pulse.objects.create(name=tasks.PULSE, at=now, since=now - DAY)
    made = [
        heartbeat(account(name), status="up", options={"cron": "* * * * *", "timezone": zone})[0]
        for name, zone in (("alice", "UTC"), ("bob", NO_ZONE), ("carol", "UTC"))
    ]
    Heartbeat.objects.update(last_ping_at=now - timedelta(hours=1), alarm_at=now - timedelta(minutes=1))
    tasks.settle_alarms()
    found = MonitorState.objects.order_by("pk").values_list("status", flat=True)
    assert list(found) == ["down", "up", "down"]
    (logged,) = caplog.records
    assert (vars(logged)["step"], vars(logged)["id"]) == ("settle_alarm", made[1].pk)


def test_flapping_that_cannot_end_holds_up_no_other() -> None:
    made = three()
    since = timezone.now() - CALM
    MonitorState.objects.update(flapping_since=since, status_since=since)
    spoil(made[1])
    tasks.settle_down()
    assert MonitorState.objects.get(flapping_since__isnull=False).pk == made[1].pk


def test_a_server_whose_absence_cannot_be_told_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    absent = absent_servers(now)[1]

    def tell_of_others(_: str, of: Server, __: datetime) -> None:
        assert of != absent

    monkeypatch.setattr(agents, "_tell", tell_of_others)
    tasks.watch_servers()
    assert agents.gone_unnoticed(now) == [absent.pk]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_without_a_database_no_other_has_its_turn(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, tried = timezone.now(), list[int]()
    absent_servers(now)

    def lose_the_connection(server_id: int, _: object) -> None:
        tried.append(server_id)
        raise error

    monkeypatch.setattr(tasks, "miss_server", lose_the_connection)
    with pytest.raises(error):
        tasks.watch_servers()
    assert len(tried) == 1


def ingest(*results: ProbeResult) -> None:
    tasks.ingest(pack(Results(region="eu", results=list(results))))


def dissents(now: datetime, **fields: Any) -> list[ProbeResult]:
    """Of three monitors; the second's has these fields as well."""
    live(now=now)
    first, second, third = three()
    return [
        result(first, "down", at=now),
        result(second, "down", at=now, **fields),
        result(third, "down", at=now),
    ]


def test_a_result_that_cannot_be_settled_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    results = dissents(timezone.now())
    bad_id = results[1].monitor_id
    MonitorState.objects.filter(pk=bad_id).update(status=NO_STATUS)
    ingest(*results)
    assert set(Round.objects.values_list("monitor", flat=True)) == {
        each.monitor_id for each in results if each.monitor_id != bad_id
    }
    (logged,) = caplog.records
    assert (logged.getMessage(), vars(logged)["id"]) == ("step.failed", bad_id)


@pytest.mark.parametrize("outcome", ["down", "slow"])
def test_a_text_that_the_database_does_not_take_costs_nothing(outcome: str) -> None:
    results = dissents(timezone.now(), error="a TXT record\0 of a stranger")
    ingest(*[msgspec.structs.replace(each, outcome=outcome) for each in results])
    assert Round.objects.count() == 3


def test_a_result_of_a_slot_far_ahead_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """It would make whatever follows old until that slot has come."""
    now = timezone.now()
    live(now=now)
    made = monitor()
    ingest(result(made, "up", at=now + timedelta(hours=1)), result(made, "up", at=now))
    assert MonitorState.objects.get().last_scheduled_at == from_unix_ms(unix_ms(now))
    assert Evidence.objects.count() == 1
    assert "ingest.ahead" in caplog.text
