"""What pings, failures, runs and silence make of a heartbeat monitor, each step called with its own `now`."""

from __future__ import annotations

from datetime import datetime

import pytest

from incidents import tasks
from incidents.heartbeats import settle_alarm, settle_ping
from incidents.lifecycle import create_monitor, delete_monitor, update_monitor
from incidents.models import Incident, Round, Transition, Vote
from monitors.heartbeats import (
    UnknownToken,
    WrongSecret,
    move_alarms,
    note_ping,
    note_start,
    rotate_token,
    rung,
    token_of,
)
from monitors.models import Evidence, Heartbeat, Monitor, MonitorState, Pulse
from monitors.rhythm import Rhythm
from probes.errors import ErrorClass, Fault
from tests.incidents.conftest import Outbox
from tests.make import NOW, account, heartbeat, live, monitor, seconds
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = Fault(ErrorClass.REPORTED_FAILURE, "exit status 3")
LONG_AWAKE = NOW - seconds(86_400)


def ping(token: str, at: datetime, fault: Fault | None = None) -> bool:
    """Whether the ping was quiet: one statement, and nothing to settle."""
    noted = note_ping(token, "", fault, at)
    if not noted.is_quiet:
        settle_ping(noted)
    return noted.is_quiet


def ring(at: datetime, awake_since: datetime = LONG_AWAKE) -> None:
    """What the task of each second does."""
    move_alarms(at, 100)
    for monitor_id in rung(at, 100):
        settle_alarm(monitor_id, awake_since, at)


def status() -> str:
    return MonitorState.objects.get().status


def alarm() -> float | None:
    """In so many seconds after NOW."""
    at = Heartbeat.objects.get().alarm_at
    return (at - NOW).total_seconds() if at else None


def told() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("type", flat=True))


def test_never_pinged_stays_unknown_and_the_first_ping_is_no_news() -> None:
    _, token = heartbeat()
    ring(NOW + seconds(86_400))
    assert (status(), alarm()) == ("unknown", None)
    assert not ping(token, NOW)
    assert (status(), alarm(), told()) == ("up", 120, [])
    assert ping(token, NOW + seconds(60))


def test_a_quiet_ping_leaves_evidence_and_moves_no_alarm() -> None:
    made, token = heartbeat()
    ping(token, NOW)
    for offset in (60, 120):
        assert ping(token, NOW + seconds(offset))
    beat = Heartbeat.objects.get()
    assert (beat.last_ping_at, alarm()) == (NOW + seconds(120), 120)
    rows = Evidence.objects.filter(monitor_id=made.pk).order_by("scheduled_at")
    assert [(row.region, row.outcome, row.started_at) for row in rows] == [
        ("heartbeat", "up", NOW + seconds(offset)) for offset in (0, 60, 120)
    ]


def test_a_flood_of_pings_leaves_two_rows_a_second() -> None:
    made, token = heartbeat()
    for number in range(20):
        ping(token, NOW + seconds(number / 20), FAILED if number % 2 else None)
    rows = Evidence.objects.filter(monitor_id=made.pk).order_by("scheduled_at")
    assert [row.outcome for row in rows] == ["up", "down"]
    assert Heartbeat.objects.get().last_ping_at == NOW + seconds(0.95)


@pytest.mark.parametrize("cron", ["", "* * * * *"])
def test_an_alarm_that_rings_for_a_ping_which_came_moves_and_says_nothing(cron: str) -> None:
    _, token = heartbeat(options={"cron": cron} if cron else {})
    ping(token, NOW)
    ping(token, NOW + seconds(60))
    ring(NOW + seconds(120))
    assert (status(), alarm()) == ("up", 180)
    assert ping(token, NOW + seconds(121))


def test_overdue_is_down_at_once_with_a_receipt_and_a_ping_is_up() -> None:
    made, token = heartbeat()
    ping(token, NOW)
    ring(NOW + seconds(119.9))
    assert status() == "up"
    ring(NOW + seconds(120))
    assert (status(), alarm(), told()) == ("down", None, ["monitor.down"])
    incident = Incident.objects.get()
    assert (incident.reason, incident.mode, incident.started_at) == (
        "overdue",
        "heartbeat",
        NOW + seconds(120),
    )
    round_ = Round.objects.get(verdict="down")
    vote = Vote.objects.get(round=round_)
    assert (round_.mode, vote.region, vote.outcome) == ("heartbeat", "heartbeat", "down")
    assert vote.evidence
    assert vote.evidence["error"] == "no ping since 2026-11-21T12:00:00.000000Z"
    assert Evidence.objects.filter(monitor_id=made.pk, error_class="overdue").count() == 1
    ring(NOW + seconds(500))
    assert not ping(token, NOW + seconds(600))
    assert (status(), alarm(), told()) == ("up", 720, ["monitor.down", "monitor.up"])
    incident.refresh_from_db()
    assert (incident.resolved_at, incident.resolution) == (NOW + seconds(600), "recovered")


def test_a_reported_failure_is_down_at_once_and_the_next_one_adds_nothing() -> None:
    made, token = heartbeat(confirmation_count=3)
    ping(token, NOW)
    ping(token, NOW + seconds(1), FAILED)
    ping(token, NOW + seconds(2), FAILED)
    assert (status(), alarm(), told()) == ("down", None, ["monitor.down"])
    assert Incident.objects.get().reason == "reported_failure"
    assert Round.objects.filter(verdict="down").count() == 1
    assert MonitorState.objects.get().consecutive_fails == 2
    errors = Evidence.objects.filter(monitor_id=made.pk, outcome="down").values_list("error", flat=True)
    assert list(errors) == ["exit status 3", "exit status 3"]
    ping(token, NOW + seconds(3))
    assert (status(), MonitorState.objects.get().consecutive_fails) == ("up", 0)


def test_a_first_ping_that_fails_is_down() -> None:
    _, token = heartbeat()
    ping(token, NOW, FAILED)
    assert (status(), told()) == ("down", ["monitor.down"])


def test_a_run_is_measured_from_its_start_to_its_ping() -> None:
    made, token = heartbeat()
    ping(token, NOW)
    note_start(token, "", NOW + seconds(50))
    assert ping(token, NOW + seconds(52.5))
    ping(token, NOW + seconds(53))
    rows = Evidence.objects.filter(monitor_id=made.pk).order_by("scheduled_at")
    assert [row.total_ms for row in rows] == [0, 2_500, 0]


@pytest.mark.parametrize("pinged", [True, False])
def test_a_run_that_does_not_end_in_its_grace_is_overdue(pinged: bool) -> None:
    _, token = heartbeat(interval_seconds=3_600)
    if pinged:
        ping(token, NOW)
    note_start(token, "", NOW + seconds(10))
    assert alarm() == 70
    ring(NOW + seconds(70))
    assert status() == "down"
    (kept,) = Vote.objects.filter(outcome="down").values_list("evidence__error", flat=True)
    assert kept == "the run that began at 2026-11-21T12:00:10.000000Z has not ended"


def test_a_start_brings_the_alarm_forward_and_never_back() -> None:
    _, token = heartbeat(interval_seconds=3_600)
    ping(token, NOW)
    note_start(token, "", NOW + seconds(3_630))
    assert alarm() == 3_660
    ping(token, NOW + seconds(3_650))
    ring(NOW + seconds(3_660))
    assert (status(), alarm()) == ("up", 3_650 + 3_660)


def test_flapping_is_by_the_same_transitions() -> None:
    _, token = heartbeat()
    for number in range(12):
        ping(token, NOW + seconds(number), FAILED if number % 2 else None)
    assert MonitorState.objects.get().flapping_since
    assert Incident.objects.filter(type="flapping", resolved_at=None).exists()
    assert told()[-1] == "monitor.flapping"


def test_while_paused_pings_are_taken_and_change_nothing() -> None:
    made, token = heartbeat()
    ping(token, NOW)
    update_monitor(made, {"enabled": False}, NOW + seconds(1))
    assert ping(token, NOW + seconds(2))
    ping(token, NOW + seconds(3), FAILED)
    note_start(token, "", NOW + seconds(4))
    assert (status(), alarm(), told()) == ("up", None, [])
    ring(NOW + seconds(10_000))
    update_monitor(made, {"enabled": True}, NOW + seconds(20_000))
    assert (status(), alarm()) == ("unknown", None)
    ring(NOW + seconds(30_000))
    assert status() == "unknown"
    ping(token, NOW + seconds(30_001))
    assert (status(), told()) == ("up", [])


def test_a_new_rhythm_moves_the_alarm() -> None:
    made, token = heartbeat()
    ping(token, NOW)
    update_monitor(made, {"interval_seconds": 3_600}, NOW + seconds(1))
    ring(NOW + seconds(2))
    assert (status(), alarm()) == ("up", 3_660)
    options = made.options | {"cron": "*/10 * * * *", "grace_seconds": 30}
    update_monitor(made, {"options": options}, NOW + seconds(3))
    ring(NOW + seconds(4))
    assert (status(), alarm()) == ("up", 630)


def test_it_is_never_claimed_and_never_asked(outbox: Outbox) -> None:
    live()
    fields = {"name": "job", "url": "heartbeat:x", "type": "heartbeat", "interval_seconds": 60}
    options = {"grace_seconds": 60, "timezone": "UTC"}
    made = create_monitor(account(), fields | {"timeout_ms": 1, "options": options, "enabled": True}, NOW)
    for change in ({"interval_seconds": 90}, {"url": "heartbeat:y"}, {"enabled": False}, {"enabled": True}):
        update_monitor(made, change, NOW)
    assert (MonitorState.objects.get().scheduled_since, outbox.asked, Round.objects.count()) == (None, [], 0)


@pytest.mark.parametrize(
    ("gap_ended", "grace", "waits_until"), [(300, 60, 360), (300, 0, 360), (300, 900, 1_200)]
)
def test_after_a_gap_of_ours_an_alarm_waits_for_who_could_not_reach_us(
    gap_ended: int, grace: int, waits_until: int
) -> None:
    _, token = heartbeat(options={"grace_seconds": grace})
    ping(token, NOW)
    awake_since = NOW + seconds(gap_ended)
    ring(max(awake_since, NOW + seconds(60 + grace)), awake_since)
    assert (status(), alarm()) == ("up", waits_until)
    ring(NOW + seconds(waits_until), awake_since)
    assert status() == "down"


def test_the_task_knows_a_gap_by_its_own_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = heartbeat()
    ping(token, NOW)

    def run(at: datetime) -> str:
        monkeypatch.setattr("incidents.tasks.timezone.now", lambda: at)
        tasks.settle_alarms()
        return status()

    Pulse.objects.create(name=tasks.PULSE, at=NOW, since=LONG_AWAKE)
    assert run(NOW + seconds(300)) == "up"
    for offset in range(301, 360):
        assert run(NOW + seconds(offset)) == "up"
    assert run(NOW + seconds(360)) == "down"


def test_without_a_gap_the_task_is_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = heartbeat()
    ping(token, NOW)
    Pulse.objects.create(name=tasks.PULSE, at=NOW + seconds(119), since=LONG_AWAKE)
    monkeypatch.setattr("incidents.tasks.timezone.now", lambda: NOW + seconds(120))
    tasks.settle_alarms()
    assert status() == "down"


@pytest.mark.parametrize(("interval", "grace"), [(60, 0), (61, 3), (86_400, 86_400)])
def test_sql_and_the_rhythm_have_the_same_deadline(interval: int, grace: int) -> None:
    made, token = heartbeat(interval_seconds=interval, options={"grace_seconds": grace})
    ping(token, NOW)
    Heartbeat.objects.update(alarm_at=NOW)
    move_alarms(NOW + seconds(1), 10)
    expected = Rhythm.of(interval, made.options).deadline(NOW, None)
    assert Heartbeat.objects.get().alarm_at == expected


def test_a_newer_ping_has_the_last_word_whichever_is_settled_first() -> None:
    _, token = heartbeat()
    ping(token, NOW)
    older = note_ping(token, "", FAILED, NOW + seconds(1))
    assert ping(token, NOW + seconds(2))
    settle_ping(older)
    assert (status(), told()) == ("up", [])


def test_a_secret_is_compared_and_a_new_token_ends_the_old_one() -> None:
    made, token = heartbeat(secret="correct horse")
    for secret in ("", "correct", "correct horse ", "ключ"):
        with pytest.raises(WrongSecret):
            note_ping(token, secret, None, NOW)
    assert not Evidence.objects.filter(monitor_id=made.pk).exists()
    note_ping(token, "correct horse", None, NOW)
    note_start(token, "correct horse", NOW)
    rotate_token(made)
    for step in (lambda: note_ping(token, "correct horse", None, NOW), lambda: note_start(token, "", NOW)):
        with pytest.raises(UnknownToken):
            step()
    fresh = token_of(Monitor.objects.get())
    assert fresh != token
    note_ping(fresh, "correct horse", None, NOW + seconds(1))


def test_a_ping_for_another_monitor_changes_only_that() -> None:
    made, token = heartbeat()
    other, _ = heartbeat(account("bob"))
    ping(token, NOW, FAILED)
    assert MonitorState.objects.get(pk=other.pk).status == "unknown"
    assert Transition.objects.get().monitor_id == made.pk


def test_deleting_takes_the_heartbeat_and_its_evidence() -> None:
    made, token = heartbeat()
    ping(token, NOW)
    monitor(account("bob"))
    delete_monitor(made, NOW)
    assert (Heartbeat.objects.count(), Monitor.objects.count()) == (0, 1)
    assert not Evidence.objects.filter(monitor_id=made.pk).exists()
    with pytest.raises(UnknownToken):
        note_ping(token, "", None, NOW)
