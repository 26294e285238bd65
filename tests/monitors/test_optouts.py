"""Opt-outs: a domain and what lies below it, refused at creation and again with every look."""

from __future__ import annotations

import pytest

from monitors.dispatch import plan, without_opted_out
from monitors.models import Evidence, Monitor, MonitorState, OptOut
from monitors.optouts import opted_out, opted_out_of
from monitors.scheduling import Claim
from probes.instants import unix_ms
from tests.make import NOW, monitor

pytestmark = pytest.mark.django_db


def claim(made: Monitor, url: str) -> Claim:
    return Claim(
        monitor_id=made.pk,
        config_version=1,
        status="up",
        scheduled_at_ms=unix_ms(NOW),
        interval_seconds=60,
        type="http",
        url=url,
        timeout_ms=1_000,
        options={"expected_status": 200},
    )


@pytest.mark.parametrize(
    ("host", "is_out"),
    [
        ("example.com", True),
        ("WWW.Example.com.", True),
        ("a.b.example.com", True),
        ("example.com.evil.org", False),
        ("notexample.com", False),
        ("com", False),
    ],
)
def test_a_domain_covers_itself_and_what_lies_below(host: str, is_out: bool) -> None:
    OptOut.objects.create(domain="example.com")
    assert opted_out(host) is is_out


def test_many_hosts_take_one_query(django_assert_num_queries: object) -> None:
    OptOut.objects.create(domain="example.com")
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert opted_out_of(["a.example.com", "example.org", "a.example.com"]) == {"a.example.com"}


def test_who_opted_out_since_is_not_looked_at_and_the_look_is_answered() -> None:
    made = monitor()
    OptOut.objects.create(domain="example.com")
    claims = [claim(made, "http://www.example.com/"), claim(made, "http://example.org/")]
    batch = plan(claims, ["eu"], NOW)[0]
    kept = without_opted_out(batch)
    assert [request.target.url for request in kept.requests] == ["http://example.org/"]  # type: ignore[union-attr]
    stored = Evidence.objects.get()
    assert (stored.outcome, stored.error_class) == ("error", "blocked")
    assert stored.error == "the owner of the target has opted out"
    assert MonitorState.objects.get().last_scheduled_at == NOW


def test_where_nobody_opted_out_a_batch_is_sent_as_it_is() -> None:
    batch = plan([claim(monitor(), "http://example.org/")], ["eu"], NOW)[0]
    assert without_opted_out(batch) is batch
