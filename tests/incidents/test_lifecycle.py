"""The life of a monitor: what creating, editing, pausing and deleting do to rounds and incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from accounts.models import Account
from incidents.confirmation import settle
from incidents.lifecycle import create_monitor, delete_monitor, update_monitor
from incidents.models import Incident, Round, Transition
from monitors.models import Monitor, MonitorState, RegionalFailure
from tests.incidents.conftest import Outbox
from tests.make import HTTP, NOW, account, live, monitor, result, seconds
from webhooks.models import Event, Webhook
from webhooks.services import set_webhook

pytestmark = pytest.mark.django_db(transaction=True)


def create(owner: Account | None = None, **changes: Any) -> Monitor:
    return create_monitor(owner or account(), HTTP | changes, NOW)


def take_down(made: Monitor, outbox: Outbox, at: datetime = NOW) -> None:
    """Confirmed down by two regions."""
    settle(result(made, "down", "eu", at=at), at)
    region, request = outbox.asked[-1]
    round_id: dict[str, Any] = {"round_id": request.round_id, "scheduled_at_ms": request.scheduled_at_ms}
    settle(result(made, "down", region, at=at, **round_id), at)
    assert MonitorState.objects.get(pk=made.pk).status == "down"


def test_a_new_monitor_is_looked_at_from_three_regions_at_once(outbox: Outbox) -> None:
    live()
    made = create()
    assert outbox.regions == ["eu", "us", "ap"]
    state = MonitorState.objects.get()
    assert state.status == "unknown"
    assert (state.scheduled_since, state.extra_check_at) == (NOW, None)
    region, request = outbox.asked[0]
    for region, request in outbox.asked[:2]:
        values: dict[str, Any] = {"round_id": request.round_id, "scheduled_at_ms": request.scheduled_at_ms}
        settle(result(made, "up", region, **values), NOW)
    assert MonitorState.objects.get().status == "up"
    assert (Round.objects.get().verdict, Event.objects.count()) == ("up", 0)


def test_without_a_live_region_it_waits_for_its_first_slot(outbox: Outbox) -> None:
    create()
    assert (Round.objects.count(), outbox.asked) == (0, [])


def test_a_monitor_created_disabled_is_left_alone(outbox: Outbox) -> None:
    live()
    create(enabled=False)
    assert (Round.objects.count(), MonitorState.objects.get().scheduled_since) == (0, None)


@pytest.mark.parametrize(
    "change",
    [{"url": "http://127.0.0.1:9/b"}, {"options": {"expected_status": 204}}, {"timeout_ms": 5_000}],
)
def test_editing_what_is_probed_voids_the_open_round_and_looks_at_once(
    outbox: Outbox, change: dict[str, Any]
) -> None:
    live()
    made = monitor()
    settle(result(made, "down"), NOW)
    update_monitor(made, change, NOW + seconds(1))
    state = MonitorState.objects.get()
    assert (state.config_version, state.extra_check_at, state.status) == (2, NOW + seconds(1), "up")
    assert state.scheduled_since == NOW
    assert Round.objects.get().verdict == "inconclusive"


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"url": "http://127.0.0.1:9/b"}, 0),
        ({"timeout_ms": 5_000}, 0),
        ({"enabled": False}, 0),
        ({"name": "new"}, 1),
    ],
)
def test_what_a_region_alone_saw_is_not_said_of_another_target(
    outbox: Outbox, change: dict[str, Any], left: int
) -> None:
    made = monitor()
    RegionalFailure.objects.create(state_id=made.pk, region="ap", since=NOW, seen_at=NOW, error_class="tls")
    update_monitor(made, change, NOW)
    assert RegionalFailure.objects.count() == left


@pytest.mark.parametrize("change", [{"name": "new"}, {"url": HTTP["url"]}, {}])
def test_an_edit_that_changes_nothing_probed_leaves_the_round_open(
    outbox: Outbox, change: dict[str, Any]
) -> None:
    live()
    made = monitor()
    settle(result(made, "down"), NOW)
    update_monitor(made, change, NOW)
    assert MonitorState.objects.get().config_version == 1
    assert Round.objects.get().closed_at is None


def test_a_new_interval_moves_the_monitor_to_its_new_grid() -> None:
    made = monitor()
    update_monitor(made, {"interval_seconds": 300}, NOW + seconds(5))
    state = MonitorState.objects.get()
    assert state.interval_seconds == 300
    assert (state.scheduled_since, state.extra_check_at) == (NOW + seconds(5), None)


def test_an_edit_ends_a_stretched_interval_and_its_grid() -> None:
    made = monitor(status="down")
    MonitorState.objects.update(interval_seconds=300)
    update_monitor(made, {"name": "new"}, NOW + seconds(5))
    state = MonitorState.objects.get()
    assert (state.interval_seconds, state.scheduled_since) == (60, NOW + seconds(5))
    update_monitor(made, {"name": "newer"}, NOW + seconds(6))
    assert MonitorState.objects.get().scheduled_since == NOW + seconds(5)


def test_pausing_ends_the_incident_quietly_and_keeps_the_state(outbox: Outbox) -> None:
    live()
    made = monitor()
    take_down(made, outbox)
    MonitorState.objects.update(extra_check_at=NOW)
    update_monitor(made, {"enabled": False}, NOW + seconds(5))
    state = MonitorState.objects.get()
    assert (state.status, state.scheduled_since, state.extra_check_at) == ("down", None, None)
    assert Incident.objects.get().resolved_at == NOW + seconds(5)
    assert list(Event.objects.values_list("type", flat=True)) == ["monitor.down"]


def test_resuming_starts_from_no_knowledge_with_an_immediate_look(outbox: Outbox) -> None:
    live()
    made = monitor(enabled=False, status="down")
    update_monitor(made, {"enabled": True}, NOW)
    state = MonitorState.objects.get()
    assert (state.status, state.config_version) == ("unknown", 2)
    assert state.scheduled_since == NOW
    assert outbox.regions == ["eu", "us", "ap"]


def test_deleting_takes_all_that_belongs_to_the_monitor_and_nothing_else(outbox: Outbox) -> None:
    live()
    made, other = monitor(), monitor(account("bob"))
    for each in (made, other):
        set_webhook(account_id=each.account_id, subject_id=each.pk, url="http://127.0.0.1:9/", now=NOW)
        take_down(each, outbox)
    delete_monitor(made, NOW)
    for model in (Monitor, Round, Incident, Transition):
        assert model._default_manager.count() == 1
    assert list(Webhook.objects.values_list("subject_id", flat=True)) == [other.pk]
    assert list(Event.objects.values_list("subject_id", flat=True)) == [other.pk]
