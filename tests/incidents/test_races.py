"""Two connections at once: whoever comes first, there is one round, one transition, one event."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from incidents.confirmation import settle, settle_overdue
from incidents.lifecycle import delete_monitor, update_monitor
from incidents.models import Incident, Round, Transition
from monitors.models import Monitor, MonitorState
from probes.messages import ProbeResult
from tests.incidents.conftest import Outbox
from tests.make import NOW, live, monitor, result, seconds
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 10


def at_once(*steps: Callable[[], object]) -> None:
    """Run each step in a thread and a connection of its own, all let go at the same moment."""
    barrier = threading.Barrier(len(steps))

    def run(step: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            step()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as pool:
        for done in [pool.submit(run, step) for step in steps]:
            done.result(30)


def opened(outbox: Outbox) -> tuple[Monitor, list[ProbeResult]]:
    """A monitor with an open round, and the two votes for down that are on their way."""
    made = monitor()
    settle(result(made, "down"), NOW)
    votes = [
        result(made, "down", region, round_id=request.round_id, scheduled_at_ms=request.scheduled_at_ms)
        for region, request in outbox.asked[-2:]
    ]
    return made, votes


def assert_down_once(made: Monitor) -> None:
    assert MonitorState.objects.get(pk=made.pk).status == "down"
    for model in (Transition, Incident):
        assert model._default_manager.filter(monitor=made).count() == 1
    assert Event.objects.filter(subject_id=made.pk).count() == 1


@pytest.mark.parametrize("_", range(TIMES))
def test_two_votes(outbox: Outbox, _: int) -> None:
    live()
    made, votes = opened(outbox)
    at_once(*(lambda vote=vote: settle(vote, NOW) for vote in votes))
    assert_down_once(made)


@pytest.mark.parametrize("_", range(TIMES))
def test_the_same_vote_twice(outbox: Outbox, _: int) -> None:
    live()
    made, votes = opened(outbox)
    at_once(lambda: settle(votes[0], NOW), lambda: settle(votes[0], NOW))
    assert_down_once(made)


@pytest.mark.parametrize("_", range(TIMES))
def test_two_dissents_open_one_round(outbox: Outbox, _: int) -> None:
    live()
    made = monitor()
    at_once(
        lambda: settle(result(made, "down", "eu"), NOW),
        lambda: settle(result(made, "down", "us", at=NOW + seconds(1)), NOW),
    )
    assert Round.objects.filter(monitor=made).count() == 1


@pytest.mark.parametrize("_", range(TIMES))
def test_a_vote_and_the_sweep(outbox: Outbox, _: int) -> None:
    live()
    made, votes = opened(outbox)
    late = Round.objects.get(monitor=made).deadline_at
    at_once(lambda: settle(votes[0], late), lambda: settle_overdue(made.pk, late))
    round_ = Round.objects.get(monitor=made)
    assert round_.verdict in ("down", "inconclusive")
    told = Event.objects.filter(type="monitor.down").count()
    assert told == Transition.objects.count() == (round_.verdict == "down")


@pytest.mark.parametrize("_", range(TIMES))
def test_a_verdict_and_a_pause_leave_no_incident_open(outbox: Outbox, _: int) -> None:
    live()
    made, votes = opened(outbox)
    at_once(lambda: settle(votes[0], NOW), lambda: update_monitor(made, {"enabled": False}, NOW))
    assert not Incident.objects.filter(resolved_at=None).exists()
    assert not Round.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize("_", range(TIMES))
def test_a_verdict_and_an_edit(outbox: Outbox, _: int) -> None:
    live()
    made, votes = opened(outbox)
    at_once(lambda: settle(votes[0], NOW), lambda: update_monitor(made, {"timeout_ms": 5_000}, NOW))
    assert Incident.objects.count() == Event.objects.count() == Transition.objects.count()
    assert not Round.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize("_", range(TIMES))
def test_a_verdict_and_a_deletion_leave_nothing(outbox: Outbox, _: int) -> None:
    live()
    made, votes = opened(outbox)
    at_once(lambda: settle(votes[0], NOW), lambda: delete_monitor(made, NOW))
    assert not Monitor.objects.filter(pk=made.pk).exists()
    for model in (Round, Incident, Transition):
        assert not model._default_manager.filter(monitor_id=made.pk).exists()
    assert not Event.objects.filter(subject_id=made.pk).exists()


@pytest.mark.parametrize("_", range(TIMES))
def test_edits_at_once_are_both_kept(_: int) -> None:
    made = monitor()
    changes: list[dict[str, object]] = [
        {"name": "other"},
        {"interval_seconds": 300},
        {"confirmation_count": 3},
    ]
    at_once(*(lambda each=each: update_monitor(made, each, NOW) for each in changes))
    found = Monitor.objects.get()
    assert (found.name, found.interval_seconds, found.confirmation_count) == ("other", 300, 3)


@pytest.mark.parametrize("_", range(TIMES))
def test_resumed_twice_at_once_there_is_one_round(outbox: Outbox, _: int) -> None:
    live()
    made = monitor(enabled=False)
    at_once(*[lambda: update_monitor(made, {"enabled": True}, NOW)] * 3)
    assert Round.objects.filter(monitor=made).count() == 1
