"""A ping and the alarm at once, on two connections: whoever waits sees what the other did."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from incidents.heartbeats import settle_alarm, settle_ping
from incidents.lifecycle import update_monitor
from incidents.models import Incident, Transition
from monitors.heartbeats import note_ping
from monitors.models import Heartbeat, Monitor, MonitorState
from tests.incidents.test_heartbeats import FAILED, LONG_AWAKE, ping
from tests.incidents.test_races import TIMES, at_once
from tests.make import NOW, heartbeat, seconds
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

OVERDUE = NOW + seconds(120)
LATER = OVERDUE + seconds(0.001)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def pinged() -> tuple[Monitor, str]:
    """A monitor that is up, and overdue two minutes after NOW."""
    made, token = heartbeat()
    ping(token, NOW)
    return made, token


def in_own_connection(token: str) -> bool:
    try:
        return ping(token, LATER)
    finally:
        connection.close()


def await_a_waiter(future: Future[bool]) -> None:
    """Until the other connection waits for a lock that this one holds."""
    done = threading.Event()
    for _ in range(1_000):
        assert not future.done()
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
        done.wait(0.01)
    raise AssertionError("nobody waits")


def test_a_ping_that_waited_for_the_alarm_ends_the_incident_that_it_made() -> None:
    made, token = pinged()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            settle_alarm(made.pk, LONG_AWAKE, OVERDUE)
            waiting = pool.submit(in_own_connection, token)
            await_a_waiter(waiting)
        assert waiting.result(10) is False
    assert MonitorState.objects.get().status == "up"
    assert Incident.objects.get().resolved_at
    assert [event.type for event in Event.objects.order_by("pk")] == ["monitor.down", "monitor.up"]
    assert Heartbeat.objects.get().alarm_at == LATER + seconds(120)


def test_an_alarm_that_waited_for_a_ping_lets_it_count() -> None:
    made, token = pinged()

    def alarm() -> bool:
        try:
            settle_alarm(made.pk, LONG_AWAKE, OVERDUE)
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert note_ping(token, "", None, OVERDUE).is_quiet
            waiting = pool.submit(alarm)
            await_a_waiter(waiting)
        assert waiting.result(10)
    assert (MonitorState.objects.get().status, Event.objects.count()) == ("up", 0)
    assert Heartbeat.objects.get().alarm_at == OVERDUE + seconds(120)


@pytest.mark.parametrize("_", range(TIMES))
def test_a_ping_and_the_alarm_at_once_end_up(_: int) -> None:
    made, token = pinged()
    at_once(lambda: ping(token, LATER), lambda: settle_alarm(made.pk, LONG_AWAKE, OVERDUE))
    assert MonitorState.objects.get().status == "up"
    assert not Incident.objects.filter(resolved_at=None).exists()
    assert Event.objects.count() in (0, 2)


@pytest.mark.parametrize("_", range(TIMES))
def test_two_first_pings_make_one_transition(_: int) -> None:
    _made, token = heartbeat()
    at_once(lambda: ping(token, NOW), lambda: ping(token, NOW + seconds(0.001)))
    assert (MonitorState.objects.get().status, Transition.objects.count()) == ("up", 1)


@pytest.mark.parametrize("_", range(TIMES))
def test_two_alarms_make_one_incident(_: int) -> None:
    made, _token = pinged()
    at_once(*[lambda: settle_alarm(made.pk, LONG_AWAKE, OVERDUE)] * 2)
    assert (Incident.objects.count(), Event.objects.count()) == (1, 1)


@pytest.mark.parametrize("_", range(TIMES))
def test_a_failure_and_a_pause_leave_no_incident_open(_: int) -> None:
    made, token = pinged()
    failed = note_ping(token, "", FAILED, NOW + seconds(1))
    at_once(lambda: settle_ping(failed), lambda: update_monitor(made, {"enabled": False}, NOW + seconds(1)))
    assert not Incident.objects.filter(resolved_at=None).exists()
    beat = Heartbeat.objects.get()
    assert (beat.alarm_at, beat.is_quiet) == (None, True)
