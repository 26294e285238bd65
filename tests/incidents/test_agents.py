"""What agents report, under the monitor's lock: outages of a customer's own making, told as all others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Server
from accounts.servers import GONE_AFTER
from incidents.agents import gone_unnoticed, heed_agent, miss_server
from incidents.lifecycle import create_monitor, update_monitor
from incidents.models import Incident, Round
from incidents.tasks import watch_servers
from monitors.assignments import latest_reports, remove_server
from monitors.models import Evidence, Monitor, MonitorState, Pulse, RegionalFailure, Report
from monitors.reports import LONGEST_ABSENCE
from probes.instants import unix_ms
from probes.messages import ProbeResult
from tests.incidents.conftest import Outbox
from tests.incidents.test_races import at_once
from tests.make import NOW, account, live, seconds, server
from webhooks.models import Delivery, Event
from webhooks.services import set_webhook

pytestmark = pytest.mark.django_db

FIELDS: dict[str, Any] = {
    "name": "intranet",
    "url": "http://10.0.0.5/",
    "type": "http",
    "interval_seconds": 60,
    "timeout_ms": 10_000,
    "options": {"expected_status": 200},
}


INSTANT = seconds(0.001)


class Estate:
    """An account with servers, all of which look at one monitor that is up."""

    def __init__(self, count: int, status: str = "up") -> None:
        live()
        self.owner = account()
        self.servers = [server(self.owner, name=f"web-{number}") for number in range(count)]
        ids = [each.pk for each in self.servers]
        self.monitor = create_monitor(self.owner, FIELDS, NOW, ids)
        MonitorState.objects.filter(pk=self.monitor.pk).update(status=status)

    def look(self, number: int, outcome: str, at: datetime = NOW, **fields: Any) -> ProbeResult:
        values: dict[str, Any] = {
            "monitor_id": self.monitor.pk,
            "config_version": self.state.config_version,
            "scheduled_at_ms": unix_ms(at),
            "region": f"server-{self.servers[number].pk}",
            "outcome": outcome,
            "started_at_ms": unix_ms(at),
            "total_ms": 5.0,
            "error_class": "refused" if outcome == "down" else "",
        }
        return ProbeResult(**(values | fields))

    def hear(self, number: int, *looks: ProbeResult, now: datetime = NOW) -> None:
        """A heartbeat of a server, as the view hands it on."""
        heed_agent(Server.objects.get(pk=self.servers[number].pk), "host", "1", looks, now)

    def see(self, number: int, outcome: str, at: datetime = NOW) -> None:
        """A heartbeat with one look, of just now; no two servers are heard in the same instant."""
        self.hear(number, self.look(number, outcome, at), now=at + number * INSTANT)

    @property
    def state(self) -> MonitorState:
        return MonitorState.objects.get(pk=self.monitor.pk)

    @property
    def events(self) -> list[str]:
        return list(Event.objects.order_by("pk").values_list("type", flat=True))


def test_no_region_is_asked(outbox: Outbox) -> None:
    estate = Estate(2)
    assert estate.state.scheduled_since is None
    estate.see(0, "down")
    update_monitor(estate.monitor, {"timeout_ms": 5_000}, NOW)
    assert estate.state.scheduled_since is None
    assert outbox.batches == []
    assert not Round.objects.filter(closed_at=None).exists()


def test_a_majority_takes_it_down_and_up_with_incident_event_and_receipt() -> None:
    estate = Estate(3)
    for number in (0, 1):
        estate.see(number, "down")
    assert (estate.state.status, estate.events[-1]) == ("down", "monitor.down")
    incident = Incident.objects.get()
    assert (incident.mode, incident.reason) == ("servers", "refused")
    assert [each["region"] for each in incident.evidence] == [
        f"server-{each.pk}" for each in estate.servers[:2]
    ]
    receipt = Round.objects.latest("pk")
    assert (receipt.mode, receipt.verdict, receipt.votes.count()) == ("servers", "down", 3)
    later = NOW + seconds(60)
    for number in (0, 1):
        estate.see(number, "up", later)
    assert (estate.state.status, estate.events[-1]) == ("up", "monitor.up")
    incident.refresh_from_db()
    assert (incident.resolved_at, incident.resolution) == (later + INSTANT, "recovered")


def test_one_of_three_is_a_failure_of_its_own() -> None:
    estate = Estate(3)
    estate.see(1, "up")
    estate.see(2, "up")
    estate.see(0, "down")
    assert estate.state.status == "up"
    assert RegionalFailure.objects.get().region == f"server-{estate.servers[0].pk}"
    rounds = Round.objects.count()
    estate.see(0, "down", NOW + seconds(30))
    assert Round.objects.count() == rounds
    estate.see(0, "up", NOW + seconds(60))
    assert not RegionalFailure.objects.exists()


def test_one_alone_says_it_three_times_in_a_row() -> None:
    estate = Estate(1)
    for second, outcome in enumerate(["down", "down", "up", "down", "down"]):
        estate.see(0, outcome, NOW + seconds(second))
        assert estate.state.status == "up"
    estate.see(0, "down", NOW + seconds(5))
    assert (estate.state.status, Incident.objects.get().mode) == ("down", "lone-server")


def test_three_looks_that_come_together_are_three_in_a_row() -> None:
    estate = Estate(1)
    estate.hear(0, *(estate.look(0, "down", NOW - seconds(each)) for each in (1, 2, 3)))
    assert estate.state.status == "down"


def test_the_silent_have_no_say() -> None:
    estate = Estate(3)
    late = NOW + seconds(100)
    estate.see(0, "down", late)
    assert estate.state.status == "up"
    for second in (1, 2):
        estate.see(0, "down", late + seconds(second))
    assert estate.state.status == "down"


def test_a_look_that_is_old_is_no_vote_though_its_server_lives() -> None:
    estate = Estate(2)
    late = NOW + seconds(181)
    estate.see(0, "down")
    estate.hear(0, now=late)
    estate.see(1, "down", late)
    assert estate.state.status == "up"


def test_the_same_twice_counts_once() -> None:
    estate = Estate(1)
    for _ in range(3):
        estate.see(0, "down")
    assert estate.state.status == "up"
    assert (Evidence.objects.count(), Report.objects.get().streak) == (1, 1)


def test_what_comes_late_is_kept_in_its_place_and_changes_nothing() -> None:
    estate = Estate(2)
    estate.see(0, "up")
    estate.see(1, "up")
    backlog = [estate.look(0, "down", NOW - seconds(each * 60)) for each in range(1, 200)]
    before = estate.state
    estate.hear(0, *backlog)
    assert Evidence.objects.filter(outcome="down").count() == 199
    after = estate.state
    assert (after.status, after.last_check_at) == (before.status, before.last_check_at)
    assert latest_reports(estate.monitor)[0].outcome == "up"
    assert not RegionalFailure.objects.exists()


def test_of_each_second_a_good_look_and_a_bad_are_kept_however_many_come() -> None:
    estate = Estate(1)
    at = [NOW - seconds(2 - part) for part in (0, 0.001, 0.999, 1, 1.5)]
    for outcome in ("down", "up", "error"):
        estate.hear(0, *(estate.look(0, outcome, each) for each in at))
    kept = Evidence.objects.order_by("scheduled_at").values_list("outcome", "started_at")
    assert list(kept) == [("up", at[0]), ("down", at[0]), ("up", at[3]), ("down", at[3])]


@pytest.mark.parametrize("at", [NOW - LONGEST_ABSENCE, NOW + seconds(61)])
def test_what_is_too_old_or_of_the_future_is_dropped(at: datetime) -> None:
    estate = Estate(1)
    estate.hear(0, estate.look(0, "down", at))
    assert not Evidence.objects.exists()


def test_a_look_at_an_older_configuration_is_evidence_and_no_vote() -> None:
    estate = Estate(1)
    old = [estate.look(0, "down", NOW + seconds(each)) for each in range(3)]
    update_monitor(estate.monitor, {"url": "http://10.0.0.6/"}, NOW)
    estate.hear(0, *old, now=NOW + seconds(3))
    assert (estate.state.status, Evidence.objects.count()) == ("up", 3)
    assert not Report.objects.exists()


def test_a_quiet_heartbeat_takes_few_statements_however_many_monitors() -> None:
    estate = Estate(2)
    counts, ids = [], [estate.servers[0].pk]
    for more in (0, 20):
        fields = [FIELDS | {"url": f"http://10.0.1.{each}/"} for each in range(more)]
        made = [create_monitor(estate.owner, each, NOW, ids) for each in fields]
        MonitorState.objects.filter(monitor__in=made).update(status="up")
        at = NOW + seconds(more)
        looks = [estate.look(0, "up", at, monitor_id=each.pk) for each in (estate.monitor, *made)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            estate.hear(0, *looks, now=NOW + seconds(more))
        assert not [each for each in queries if "FOR UPDATE" in each["sql"]]
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 11


def test_while_it_is_down_the_failed_checks_are_counted_one_an_interval() -> None:
    estate = Estate(2)
    for minute in range(3):
        for number in (0, 1):
            estate.see(number, "down", NOW + seconds(60 * minute + 1 + number))
    assert (estate.state.status, estate.state.consecutive_fails) == ("down", 3)


def test_handed_to_the_regions_and_back(outbox: Outbox) -> None:
    estate = Estate(2)
    estate.see(0, "down")
    assert RegionalFailure.objects.exists()
    update_monitor(estate.monitor, {}, NOW, [])
    state = estate.state
    assert (state.scheduled_since, state.extra_check_at, state.status) == (NOW, NOW, "up")
    assert not RegionalFailure.objects.exists()
    update_monitor(estate.monitor, {}, NOW, [estate.servers[1].pk])
    assert estate.state.config_version == state.config_version + 1
    assert (estate.state.scheduled_since, estate.state.extra_check_at) == (None, None)


def test_resumed_it_is_unknown_until_servers_have_looked(outbox: Outbox) -> None:
    estate = Estate(2)
    for number in (0, 1):
        estate.see(number, "up")
    update_monitor(estate.monitor, {"enabled": False}, NOW)
    update_monitor(estate.monitor, {"enabled": True}, NOW)
    assert estate.state.status == "unknown"
    for number in (0, 1):
        estate.see(number, "up", NOW + seconds(1))
    assert (estate.state.status, outbox.batches) == ("up", [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(5))
def test_two_that_report_at_once_make_one_transition(_: int) -> None:
    estate = Estate(2)
    at_once(*(lambda number=number: estate.see(number, "down") for number in (0, 1)))
    assert (estate.state.status, estate.state.sequence) == ("down", 1)
    assert estate.events.count("monitor.down") == 1


def webhook(of: Monitor, *events: str) -> None:
    set_webhook(
        account_id=of.account_id, subject_id=of.pk, now=NOW, url="http://127.0.0.1:9/", events=list(events)
    )


def test_a_server_that_is_gone_is_told_once_to_those_who_ask_and_so_is_its_return() -> None:
    estate = Estate(2)
    webhook(estate.monitor, "server.gone", "server.back")
    gone, late = estate.servers[0].pk, NOW + GONE_AFTER
    estate.hear(1, now=late)
    assert gone_unnoticed(late - seconds(1)) == []
    assert gone_unnoticed(late) == [gone]
    for _ in range(2):
        miss_server(gone, late)
    assert gone_unnoticed(late) == []
    assert Server.objects.get(pk=gone).gone_since == NOW
    for second in range(2):
        estate.hear(0, now=late + seconds(second))
    assert Server.objects.get(pk=gone).gone_since is None
    told = Delivery.objects.order_by("pk").values_list("event__type", flat=True)
    assert list(told) == ["server.gone", "server.back"]


def test_nobody_is_told_of_servers_who_did_not_ask() -> None:
    estate = Estate(1)
    set_webhook(account_id=estate.owner.pk, subject_id=estate.monitor.pk, now=NOW, url="http://127.0.0.1:9/")
    miss_server(estate.servers[0].pk, NOW + GONE_AFTER)
    assert not Delivery.objects.exists()


def test_a_failure_that_only_a_server_saw_ends_with_the_server() -> None:
    estate = Estate(3)
    estate.see(0, "down")
    miss_server(estate.servers[0].pk, NOW + GONE_AFTER)
    assert not RegionalFailure.objects.exists()
    estate.see(0, "down", NOW + seconds(1))
    remove_server(estate.servers[0])
    assert not RegionalFailure.objects.exists()


def test_after_an_outage_of_our_own_no_server_is_gone_before_it_could_speak() -> None:
    estate = Estate(1)
    now = timezone.now()
    Server.objects.update(last_seen_at=now - seconds(3600))
    Pulse.objects.update(since=now - GONE_AFTER + seconds(60))
    watch_servers()
    assert estate.events == []
    Pulse.objects.update(since=now - GONE_AFTER)
    watch_servers()
    assert estate.events == ["server.gone"]
