"""Every page of every kind of row: it is there, cheap, for staff alone, and shows no secret."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.feeds import ensure_token
from accounts.keys import issue_key
from accounts.models import Account, FeedToken
from accounts.redis import client as redis_client
from accounts.servers import add_server
from api.models import NewsItem
from incidents.lifecycle import create_monitor
from incidents.models import Round
from monitors import heartbeats
from monitors.models import (
    Heartbeat,
    KillSwitch,
    Monitor,
    MonitorState,
    OperatorEvent,
    OptOut,
    Region,
)
from monitors.scheduled import Schedule
from monitors.slots import latest_slot_ms
from probes.instants import from_unix_ms, unix_ms
from staff import base
from staff.base import StaffAdmin
from staff.pages.monitors import next_check
from tests.make import NOW, account, monitor, seconds
from tests.staff.conftest import World, go_down
from webhooks.services import set_webhook

OURS = sorted(
    (model for model, page in admin.site._registry.items() if isinstance(page, StaffAdmin)),
    key=lambda model: model._meta.label,
)
MOST_QUERIES = 20
"""Of a change page; the session, the user and the second factor take three."""


def page_url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def pages(row: Model | None, model: type[Model]) -> list[str]:
    urls = [page_url(model, "changelist")]
    return [*urls, page_url(model, "change", row.pk)] if row else urls


def suspend(client: Client, account: Account) -> None:
    """Which also writes the log."""
    fields = {"action": "suspend", "_selected_action": account.pk, "confirmed": "yes"}
    client.post(page_url(Account, "changelist"), fields)


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def test_each_kind_of_row_that_is_expected_has_a_page() -> None:
    names = {model._meta.label for model in OURS}
    assert names >= {
        *("accounts.Account", "accounts.ApiKey", "accounts.FeedToken", "monitors.Monitor", "monitors.Region"),
        "accounts.Server",
        *("monitors.KillSwitch", "monitors.OptOut", "monitors.OperatorEvent", "incidents.Round"),
        *("incidents.Transition", "incidents.Incident", "webhooks.Webhook", "webhooks.Event"),
        *("webhooks.Delivery", "api.NewsItem", "admin.LogEntry"),
    }


def test_no_page_shows_a_secret(desk: Client, world: World) -> None:
    urls = [reverse("admin:index"), page_url(Monitor, "changelist") + "?q=shop"]
    for model in OURS:
        urls += pages(model._default_manager.first(), model)
    for url in urls:
        text = text_of(desk, url)
        assert not [what for what, secret in world.secrets.items() if secret in text], url
        assert "<script>a" not in text
        assert "a <script>" not in text


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_a_page_takes_a_bounded_number_of_queries(desk: Client, world: World, model: type[Model]) -> None:
    suspend(desk, world.account)
    row = model._default_manager.first()
    assert row is not None
    for url in pages(row, model):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            text_of(desk, url)
        assert len(queries) <= MOST_QUERIES, [each["sql"] for each in queries]


def test_a_list_of_many_takes_as_many_queries_as_one_of_few(desk: Client, world: World) -> None:
    KillSwitch.objects.all().delete()
    suspend(desk, world.account)
    few = {model: queries_of_list(desk, model) for model in OURS}
    for number in range(5):
        add_another_of_everything(desk, number, world.now)
    assert {model: queries_of_list(desk, model) for model in OURS} == few


def queries_of_list(desk: Client, model: type[Model]) -> int:
    with CaptureQueriesContext(connection) as queries:
        text_of(desk, page_url(model, "changelist"))
    return len(queries)


def add_another_of_everything(desk: Client, number: int, now: datetime) -> None:
    owner = account(f"account {number}")
    made = monitor(owner, name=f"monitor {number}")
    set_webhook(account_id=owner.pk, subject_id=made.pk, url="http://127.0.0.1:9/hook", now=now)
    go_down(made, now)
    issue_key(owner, "key", now)
    ensure_token(owner, FeedToken.Kind.SHARED, now)
    add_server(owner, "web-01", now)
    OptOut.objects.create(domain=f"{number}.example")
    OperatorEvent.objects.create(kind=f"region.{number}", began_at=now)
    NewsItem.objects.create(title="news", published_at=now)
    Region.objects.create(name=f"r{number}", last_seen_at=now, in_flight=0)
    suspend(desk, owner)


def test_the_first_page_tells_what_is_wrong(desk: Client, world: World) -> None:
    text = text_of(desk, reverse("admin:index"))
    for expected in ("abuse of all kinds", "silent for long", "the shop", "probe.eu", "Open incidents (1)"):
        assert expected in text


def test_the_first_page_tells_what_is_due_and_since_when(desk: Client, world: World) -> None:
    now = timezone.now()
    MonitorState.objects.update(scheduled_since=None)
    assert "0 checks due;" in text_of(desk, reverse("admin:index"))
    MonitorState.objects.filter(pk=world.monitor.pk).update(scheduled_since=now - seconds(600))
    Schedule.objects.create(interval_seconds=world.monitor.interval_seconds, claimed_until=now - seconds(300))
    assert "1 check due: all is claimed up to 5 min" in text_of(desk, reverse("admin:index"))


@pytest.mark.parametrize(
    ("since", "extra", "expected"),
    [(None, None, None), (-5, None, 12.5), (-5, 3, 3), (-5, 50, 12.5), (-5, -1, -1)],
    ids=["by no region", "at its slot", "before", "at its slot, and after", "overdue"],
)
def test_the_next_check_is_the_slot_or_what_comes_before(
    since: float | None, extra: float | None, expected: float | None
) -> None:
    slot = from_unix_ms(latest_slot_ms(7, 60_000, unix_ms(NOW)))
    now = slot + seconds(47.5)
    state = MonitorState(
        monitor_id=7,
        interval_seconds=60,
        scheduled_since=None if since is None else now + seconds(since),
        extra_check_at=None if extra is None else now + seconds(extra),
    )
    assert next_check(state, now) == (None if expected is None else now + seconds(expected))


def test_the_first_page_is_there_without_a_broker_and_without_rows(desk: Client, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    redis_client.cache_clear()
    text = text_of(desk, reverse("admin:index"))
    redis_client.cache_clear()
    assert "The broker does not answer" in text
    assert "It has never ticked" in text


def test_evidence_is_never_read_without_its_monitor_and_a_bound(desk: Client, world: World) -> None:
    for model in OURS:
        for url in pages(model._default_manager.first(), model):
            with CaptureQueriesContext(connection) as queries:
                text_of(desk, url)
            read = [each["sql"] for each in queries if "monitors_evidence" in each["sql"]]
            assert all('"monitor_id" = ' in sql and '"scheduled_at" >= ' in sql for sql in read), read


def test_a_monitors_page_has_its_state_and_its_evidence(desk: Client, world: World) -> None:
    text = text_of(desk, page_url(Monitor, "change", world.monitor.pk))
    for expected in ("tls_expired", "http_5xx", "127.0.0.1", "badge-down", "2-of-3", "expected_status"):
        assert expected in text


def test_a_rounds_page_is_its_receipt(desk: Client, world: World) -> None:
    text = text_of(desk, page_url(Round, "change", Round.objects.get().pk))
    cells = [re.sub(r"<.*?>", "", cell) for cell in re.findall(r"<td>(.*?)</td>", text)]
    for expected in ("eu", "us", "down", "http_5xx", "503", "127.0.0.1", "12.5"):
        assert expected in cells


def test_a_heartbeats_page_has_its_pings_and_not_its_url(desk: Client, world: World) -> None:
    fields = {"name": "backup", "url": "backup", "type": heartbeats.TYPE, "options": {"grace_seconds": 60}}
    values = {"interval_seconds": 60, "timeout_ms": 10_000, "enabled": True, "heartbeat_secret": "hb-secret"}
    made = create_monitor(world.account, fields | values, world.now)
    beat = Heartbeat.objects.get()
    Heartbeat.objects.update(last_ping_at=world.now, last_run_ms=1234.5)
    text = text_of(desk, page_url(Monitor, "change", made.pk))
    assert "1234.5" in text
    for secret in (beat.token_digest, beat.sealed_token, beat.sealed_secret, "hb-secret"):
        assert secret not in text


def test_an_accounts_page_leads_to_what_it_has(desk: Client, world: World) -> None:
    text = text_of(desk, page_url(Account, "change", world.account.pk))
    assert "1 of 50" in text
    links = re.findall(r'href="([^"]+account__id__exact=\d+)"', text)
    assert len(links) == 6
    for link in links:
        assert re.search(
            r"\s1 (?:monitor|api key|webhook|incident|delivery|feed token)\s", text_of(desk, link)
        ), link


def test_lists_are_searched_by_number_and_text(desk: Client, world: World) -> None:
    other = monitor(world.account, name="the blog", url="http://127.0.0.1:9/blog")
    for term, found in (
        ("shop", True),
        ("alice", True),
        (str(world.monitor.pk), True),
        ("blog", False),
        ("9" * 40, False),
    ):
        text = text_of(desk, page_url(Monitor, "changelist") + f"?q={term}")
        assert (f"/monitor/{world.monitor.pk}/change" in text) is found, term
    rounds = page_url(Round, "changelist")
    assert "1 round" in text_of(desk, f"{rounds}?q={world.monitor.pk}")
    assert "0 rounds" in text_of(desk, f"{rounds}?q={other.pk}")
    assert "0 rounds" in text_of(desk, f"{rounds}?q=shop")


@pytest.mark.parametrize(
    ("query", "found"), [("down", True), ("up", False), ("failing+in+a+region", True), ("paused", False)]
)
def test_monitors_are_filtered_by_status(desk: Client, world: World, query: str, found: bool) -> None:
    text = text_of(desk, page_url(Monitor, "changelist") + f"?status={query}")
    assert (f"/monitor/{world.monitor.pk}/change" in text) is found


def test_a_list_is_counted_no_further_than_its_bound(
    desk: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MOST_COUNTED", 2)
    for number in range(3):
        Account.objects.create(name=f"account {number}", created_at=world.now)
    assert "2 accounts" in text_of(desk, page_url(Account, "changelist"))


@pytest.fixture
def looker(db: None, client: Client) -> Client:
    """Staff who may look at everything, and no more."""
    user = User.objects.create_user("looker", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


def test_who_may_only_look_sees_the_pages_and_no_actions(looker: Client, world: World) -> None:
    for model in OURS:
        for url in pages(model._default_manager.first(), model):
            assert 'name="action"' not in text_of(looker, url)
    suspend(looker, world.account)
    assert not Account.objects.exclude(suspended_at=None).exists()


def test_who_is_not_staff_is_sent_to_the_login(client: Client, world: World) -> None:
    client.force_login(User.objects.create_user("customer"))
    for model in OURS:
        for url in pages(model._default_manager.first(), model):
            assert client.get(url).headers["Location"].startswith("/admin/login/")


def test_a_browser_is_to_load_what_is_ours_alone(desk: Client, world: World) -> None:
    policy = desk.get(reverse("admin:index")).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for url in (
        reverse("admin:index"),
        page_url(Monitor, "changelist"),
        page_url(Monitor, "change", world.monitor.pk),
    ):
        text = text_of(desk, url)
        assert not re.findall(r"<script(?![^>]*\ssrc=)", text)
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
        assert " style=" not in text
