"""What staff do: asked for once more, done through the services, and logged."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.keys import find_key
from accounts.models import Account, FeedToken
from incidents.models import Incident, Transition
from monitors.models import KillSwitch, Monitor, MonitorState, OptOut
from monitors.regions import live_regions
from staff import acting
from tests.make import account, monitor
from tests.staff.conftest import World
from webhooks.models import Delivery, Webhook


def act(desk: Client, rows: str, name: str, *keys: int, **fields: Any) -> str:
    """Choose rows, and an action on them; what the page then says."""
    values = {"action": name, "_selected_action": [str(key) for key in keys], **fields}
    response = desk.post(reverse(f"admin:{rows}_changelist"), values, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def logged() -> list[tuple[str, str]]:
    """Of what, and what was done, oldest first."""
    entries = LogEntry.objects.order_by("pk")
    return [(entry.content_type.model, entry.get_change_message()) for entry in entries if entry.content_type]


def test_an_action_asks_first_and_names_what_it_is_about(desk: Client, world: World) -> None:
    page = act(desk, "accounts_account", "suspend", world.account.pk)
    assert "are you sure?" in page
    assert "alice &amp; co" in page
    assert Account.objects.get().suspended_at is None
    assert logged() == []


def test_suspending_and_lifting(desk: Client, world: World, staff: User) -> None:
    act(desk, "accounts_account", "suspend", world.account.pk, confirmed="yes")
    assert Account.objects.get().suspended_at
    assert "it is suspended already" in act(
        desk, "accounts_account", "suspend", world.account.pk, confirmed="yes"
    )
    act(desk, "accounts_account", "lift_suspension", world.account.pk, confirmed="yes")
    assert Account.objects.get().suspended_at is None
    assert logged() == [("account", "Suspend."), ("account", "Lift the suspension.")]
    assert set(LogEntry.objects.values_list("user", flat=True)) == {staff.pk}


def test_pausing_ends_the_incident_and_stops_the_schedule_and_resuming_begins_anew(
    desk: Client, world: World
) -> None:
    act(desk, "monitors_monitor", "pause", world.monitor.pk, confirmed="yes")
    state = MonitorState.objects.get()
    assert (state.monitor.enabled, state.scheduled_since) == (False, None)
    assert Incident.objects.get().resolution == "paused"
    act(desk, "monitors_monitor", "resume", world.monitor.pk, confirmed="yes")
    state.refresh_from_db()
    assert (state.status, state.scheduled_since is None) == ("unknown", False)
    assert logged() == [("monitor", "Pause."), ("monitor", "Resume.")]


def test_a_replay_makes_the_same_delivery_due_and_says_what_it_cannot(desk: Client, world: World) -> None:
    done = act(desk, "webhooks_delivery", "replay", world.delivery.pk, confirmed="yes")
    assert "done to 1 of 1" in done
    assert Delivery.objects.get().status == "pending"
    refused = act(desk, "webhooks_delivery", "replay", world.delivery.pk, confirmed="yes")
    assert "delivery is not finished" in refused
    assert "done to 0 of 1" in refused
    Webhook.objects.all().delete()
    assert "was removed" in act(desk, "webhooks_delivery", "replay", world.delivery.pk, confirmed="yes")
    assert logged() == [("delivery", "Replay.")]


def test_a_revoked_key_opens_nothing_though_it_is_the_only_one(desk: Client, world: World) -> None:
    assert find_key(world.secrets["key"], world.now)
    act(desk, "accounts_apikey", "revoke", world.key.pk, confirmed="yes")
    world.key.refresh_from_db()
    assert world.key.expires_at
    assert find_key(world.secrets["key"], world.key.expires_at) is None
    assert logged() == [("apikey", "Revoke.")]


def test_an_action_is_on_the_page_of_the_row_too(desk: Client, world: World) -> None:
    page = desk.get(reverse("admin:accounts_account_change", args=[world.account.pk])).content.decode()
    assert '<button type="submit">Suspend</button>' in page


def test_no_more_rows_at_once_than_anybody_reads(
    desk: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "MOST_AT_ONCE", 2)
    accounts = [world.account, account("bob"), account("carol")]
    page = act(
        desk,
        "accounts_account",
        "suspend",
        *(each.pk for each in accounts),
        confirmed="yes",
        select_across="1",
    )
    assert "At most 2 at once." in page
    assert not Account.objects.exclude(suspended_at=None).exists()


def test_a_monitor_is_edited_through_its_lifecycle(desk: Client, world: World) -> None:
    url = reverse("admin:monitors_monitor_change", args=[world.monitor.pk])
    desk.post(url, {"name": "renamed", "interval_seconds": "120"})
    made, state = Monitor.objects.get(), MonitorState.objects.get()
    assert (made.name, made.interval_seconds, state.interval_seconds) == ("renamed", 120, 120)
    assert made.updated_at > world.now
    assert logged() == [("monitor", "Changed Name and Interval seconds.")]
    page = desk.post(url, {"name": "renamed", "interval_seconds": "0"}).content.decode()
    assert "The interval must be 1 to 86400 seconds." in page


def test_nothing_else_of_a_monitor_can_be_written(desk: Client, world: World) -> None:
    url = reverse("admin:monitors_monitor_change", args=[world.monitor.pk])
    desk.post(url, {"name": "x", "interval_seconds": "60", "url": "http://evil.example/", "enabled": ""})
    made = Monitor.objects.get()
    assert (made.url, made.enabled) == (world.monitor.url, True)
    for name in ("incidents_incident", "incidents_round", "incidents_transition", "webhooks_webhook"):
        assert desk.get(reverse(f"admin:{name}_add")).status_code == 403
    transition = Transition.objects.get()
    for page in ("change", "delete"):
        refused = desk.post(
            reverse(f"admin:incidents_transition_{page}", args=[transition.pk]), {"post": "yes"}
        )
        assert refused.status_code == 403


def test_the_limits_of_an_account_are_edited_and_a_new_one_gets_its_instant(
    desk: Client, world: World
) -> None:
    limits = {"monitor_limit": "7", "key_limit": "2", "requests_per_minute": ""}
    desk.post(reverse("admin:accounts_account_change", args=[world.account.pk]), {"name": "alice", **limits})
    assert Account.objects.values_list("name", "monitor_limit", "key_limit").get() == ("alice", 7, 2)
    desk.post(reverse("admin:accounts_account_add"), {"name": "bob", **limits})
    assert Account.objects.get(name="bob").created_at > world.now


def test_the_kill_switch_is_engaged_with_a_reason_and_disengaged_after_a_question(
    desk: Client, world: World
) -> None:
    switch = KillSwitch.objects.get()
    assert desk.get(reverse("admin:monitors_killswitch_add")).status_code == 403
    assert live_regions(world.now) == []
    delete = reverse("admin:monitors_killswitch_delete", args=[switch.pk])
    assert "Are you sure" in desk.get(delete).content.decode()
    desk.post(delete, {"post": "yes"})
    assert live_regions(world.now) == ["eu", "us", "ap"]
    desk.post(reverse("admin:monitors_killswitch_add"), {"reason": "again"})
    assert KillSwitch.objects.get().reason == "again"
    assert [message for _, message in logged()] == ["", "Added."]


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("https://shop.example.org/", True),
        ("https://example.org:8443/x", True),
        ("https://user@EXAMPLE.org", True),
        ("example.org:443", True),
        ("www.example.org", True),
        ("https://notexample.org/", False),
        ("https://other.test/example.org/", False),
        ("https://other.test/?to=https://example.org/", False),
        ("https://example.org.evil.test/", False),
    ],
)
def test_an_opt_out_says_how_many_monitors_it_covers(
    desk: Client, world: World, url: str, covered: bool
) -> None:
    monitor(world.account, name="x", url=url)
    desk.post(reverse("admin:monitors_optout_add"), {"domain": " Example.ORG. ", "note": ""})
    opt_out = OptOut.objects.get(domain="example.org")
    page = desk.get(reverse("admin:monitors_optout_change", args=[opt_out.pk])).content.decode()
    assert f"{int(covered)} monitors" in page


def test_an_opt_out_of_an_idn_covers_it_however_it_is_written(desk: Client, world: World) -> None:
    monitor(world.account, name="a", url="https://bücher.example.net/")
    monitor(world.account, name="b", url="https://www.xn--bcher-kva.example.net/")
    desk.post(reverse("admin:monitors_optout_add"), {"domain": "bücher.example.net"})
    opt_out = OptOut.objects.get(domain="xn--bcher-kva.example.net")
    page = desk.get(reverse("admin:monitors_optout_change", args=[opt_out.pk])).content.decode()
    assert "2 monitors" in page
    refused = desk.post(reverse("admin:monitors_optout_add"), {"domain": "no domain"}).content.decode()
    assert "This is no domain" in refused


def test_a_feed_token_can_be_deleted(desk: Client, world: World) -> None:
    desk.post(reverse("admin:accounts_feedtoken_delete", args=[FeedToken.objects.get().pk]), {"post": "yes"})
    assert not FeedToken.objects.exists()


def test_the_log_is_there_to_read_and_cannot_be_written(desk: Client, world: World) -> None:
    act(desk, "accounts_account", "suspend", world.account.pk, confirmed="yes")
    page = desk.get(reverse("admin:admin_logentry_changelist")).content.decode()
    assert "Suspend." in page
    assert (
        desk.post(reverse("admin:admin_logentry_delete", args=[LogEntry.objects.get().pk])).status_code == 403
    )


def test_the_timeline_tells_it_in_order(desk: Client, world: World) -> None:
    page = desk.get(reverse("admin:incidents_incident_change", args=[world.incident.pk])).content.decode()
    told = ["eu says down", "opened", "decided", "transition 1", "event monitor.down", "attempt 1"]
    assert all(each in page for each in told)
    assert page.index("opened</a>") < page.index("decided") < page.index("event monitor.down")
