"""A certificate about to end is told once, of regions and of servers alike, unless nobody wants to know."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from incidents.agents import heed_agent
from incidents.certificates import RENEWED, warn_of_certificates
from incidents.lifecycle import update_monitor
from incidents.tasks import ingest
from monitors.assignments import region_of
from monitors.models import Monitor, MonitorState
from probes.instants import rfc3339, unix_ms
from probes.messages import Certificate, ProbeResult, Results, pack
from tests.make import NOW, account, assigned, live, monitor, result, server
from webhooks.models import Delivery, Event
from webhooks.services import set_webhook

pytestmark = pytest.mark.django_db

ENDS = NOW + timedelta(days=9)
SSL: dict[str, Any] = {"type": "ssl", "url": "example.com", "options": {"warn_days": 30}}


def expiring(of: Monitor, ends_at: datetime = ENDS, region: str = "eu", **fields: Any) -> ProbeResult:
    """An up look at a certificate that ends so soon that it is to be warned of."""
    ends_ms = unix_ms(ends_at)
    certificate = Certificate(issuer="", expires_at_ms=ends_ms, chain_expires_at_ms=ends_ms)
    seen: dict[str, Any] = {"error_class": "cert_expiring", "status_code": None, "certificate": certificate}
    return result(of, "up", region, **(seen | fields))


def told() -> list[str]:
    return [json.loads(each.payload)["cert_expires_at"] for each in Event.objects.order_by("pk")]


def test_it_is_told_once_however_often_it_is_seen() -> None:
    made = monitor(**SSL)
    for hours in range(3):
        warn_of_certificates([expiring(made), expiring(made, region="us")], NOW + timedelta(hours=hours))
    (event,) = Event.objects.all()
    assert (event.type, event.subject_id) == ("monitor.cert_expiring", made.pk)
    assert told() == [rfc3339(ENDS)]


def test_it_is_told_of_what_regions_saw() -> None:
    live()
    made = monitor(**SSL)
    ingest(pack(Results(region="eu", results=[expiring(made)])))
    assert told() == [rfc3339(ENDS)]
    assert MonitorState.objects.get().status == "up"


def test_it_is_told_of_what_servers_saw() -> None:
    web = server(account())
    made = assigned(web, **SSL)
    heed_agent(web, "host", "1", [expiring(made, region=region_of(web.pk))], NOW)
    assert told() == [rfc3339(ENDS)]


@pytest.mark.parametrize(
    ("later", "is_another"),
    [(timedelta(hours=20), False), (RENEWED, False), (timedelta(days=90), True), (timedelta(days=-5), False)],
)
def test_only_one_that_ends_later_is_another(later: timedelta, is_another: bool) -> None:
    made = monitor(**SSL)
    warn_of_certificates([expiring(made)], NOW)
    warn_of_certificates([expiring(made, ENDS + later)], NOW)
    assert len(told()) == (2 if is_another else 1)


def test_what_was_seen_of_another_configuration_is_not_told() -> None:
    made = monitor(**SSL)
    old = expiring(made)
    update_monitor(made, {"url": "example.org"}, NOW)
    warn_of_certificates([old], NOW)
    assert told() == []
    warn_of_certificates([expiring(made, ENDS - timedelta(days=5))], NOW)
    assert len(told()) == 1


def test_who_does_not_want_to_know_is_not_told_until_they_do() -> None:
    made = monitor(muted_events=["monitor.cert_expiring"], **SSL)
    warn_of_certificates([expiring(made)], NOW)
    assert told() == []
    update_monitor(made, {"muted_events": []}, NOW)
    warn_of_certificates([expiring(made)], NOW)
    assert len(told()) == 1


def test_other_looks_are_no_warning() -> None:
    made = monitor(**SSL)
    seen = [expiring(made, error_class=""), expiring(made, certificate=None), result(made, "down")]
    warn_of_certificates(seen, NOW)
    assert told() == []


@pytest.mark.parametrize(
    ("events", "by_regions", "by_servers"),
    [(None, False, True), (["monitor.cert_expiring"], True, True), (["monitor.down"], False, False)],
)
def test_a_webhook_that_did_not_ask_is_told_only_of_what_servers_look_at(
    events: list[str] | None, by_regions: bool, by_servers: bool
) -> None:
    owner = account()
    mine = [monitor(owner, **SSL), assigned(server(owner), **SSL | {"url": "example.org"})]
    for each in mine:
        url = "http://127.0.0.1:9/"
        set_webhook(account_id=owner.pk, subject_id=each.pk, url=url, events=events, now=NOW)
    warn_of_certificates([expiring(each) for each in mine], NOW)
    reached = set(Delivery.objects.values_list("subject_id", flat=True))
    assert [each.pk in reached for each in mine] == [by_regions, by_servers]
