"""What Prometheus reads, as its own parser understands it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from accounts import tally
from accounts.keys import issue_key
from accounts.models import Account
from accounts.redis import client
from config.metrics import installation
from incidents.tasks import ingest
from monitors import partitions
from monitors.models import KillSwitch
from monitors.scheduled import Schedule
from probes.instants import unix_ms
from probes.messages import Certificate, Results, pack
from tests import make
from tests.webhooks.conftest import make_webhook, publish_delivery

REPOSITORY = Path(__file__).parents[2]
TOKEN = "of-the-operator"
Samples = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete(tally.KEY)


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    settings.API_REQUESTS_PER_MINUTE = 0


def ask(secret: str = TOKEN) -> Any:
    return Client().get("/metrics", headers={"Authorization": f"Bearer {secret}"})


def samples(secret: str = TOKEN) -> Samples:
    """Each sample by its name and the values of its labels, in the order of their names."""
    response = ask(secret)
    assert response.status_code == 200
    families: list[Metric] = list(text_string_to_metric_families(response.content.decode()))
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.django_db
def test_regions_tell_whether_they_vote_and_what_they_do() -> None:
    make.live("eu", "us", now=timezone.now())
    found = samples()
    assert found["upquorum_region_voting", "eu"] == 1
    assert found["upquorum_region_voting", "ap"] == 0
    assert found["upquorum_region_in_flight", "us"] == 0
    assert 0 <= found["upquorum_region_silence_seconds", "eu"] < 10


@pytest.mark.django_db
def test_the_schedule_tells_how_late_it_is() -> None:
    now = timezone.now()
    make.live(now=now)
    make.monitor()
    Schedule.objects.create(interval_seconds=60, claimed_until=now - make.seconds(30))
    KillSwitch.objects.create(reason="test")
    found = samples()
    assert 30 <= found["upquorum_schedule_lag_seconds",] < 40
    assert found["upquorum_monitors", "up"] == 1
    assert found["upquorum_kill_switch",] == 1


@pytest.mark.django_db(transaction=True)
def test_probes_are_counted_by_region_and_outcome_and_their_lag_is_summed_up() -> None:
    now = timezone.now()
    partitions.keep_partitions(now, evidence_days=7, rollup_days=400)
    make.live(now=now)
    monitor = make.monitor(now=now)
    result = make.result(monitor, "up", "eu", at=now)
    late = make.result(monitor, "missed", "eu", at=now - make.seconds(9), started_at_ms=result.started_at_ms)
    ingest(pack(Results(region="eu", results=[result, late])))
    found = samples()
    assert found["upquorum_probes_total", "up", "eu"] == 1
    assert found["upquorum_probes_total", "missed", "eu"] == 1
    assert found["upquorum_scheduled_probes_total", "eu"] == 2
    assert found["upquorum_lag_milliseconds_total", "eu"] == 9000


@pytest.mark.django_db
def test_deliveries_tell_how_many_wait_and_for_how_long() -> None:
    account = make.account()
    publish_delivery(make_webhook(account), now=timezone.now() - make.seconds(120))
    found = samples()
    assert found["upquorum_deliveries_open", "pending"] == 1
    assert found["upquorum_deliveries_open", "retrying"] == 0
    assert 120 <= found["upquorum_delivery_overdue_seconds",] < 130


@pytest.mark.django_db
def test_queues_tell_their_depth() -> None:
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.lpush("probe.ap", "{}", "{}")
        try:
            assert samples()["upquorum_queue_messages", "probe.ap"] == 2
        finally:
            redis.delete("probe.ap")


@pytest.mark.django_db
def test_a_broker_that_is_away_is_an_answer(settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none"
    client.cache_clear()
    found = samples()
    client.cache_clear()
    assert (found["upquorum_broker_up",], found["upquorum_database_up",]) == (0, 1)
    assert ("upquorum_rounds_open",) in found


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_and_no_evidence_is_read() -> None:
    def asked() -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask()
        return [query["sql"] for query in queries]

    few = asked()
    owner = make.account()
    for number in range(20):
        make.monitor(owner, url=f"http://127.0.0.1/{number}")
    assert len(asked()) == len(few) <= 20
    assert not [query for query in few if "evidence" in query]


@pytest.mark.django_db
@pytest.mark.parametrize("secret", ["", "wrong", "umk_live_" + "x" * 40])
def test_who_has_neither_token_nor_key_is_told_nothing(secret: str) -> None:
    response = ask(secret)
    assert (response.status_code, response.content) == (401, b"")


@pytest.mark.django_db
def test_without_a_token_nobody_is_the_operator(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert ask("").status_code == 401
    assert Client().get("/metrics").status_code == 401


@pytest.mark.django_db
def test_who_guesses_is_slowed_down(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete("upquorum:limit:addresses:127.0.0.1")
    assert [ask("wrong").status_code for _ in range(2)] == [401, 429]
    assert ask().status_code == 200


def key_of(account: Account, scopes: list[str] | None = None) -> str:
    return issue_key(account, "prometheus", make.NOW, scopes)[1]


@pytest.mark.django_db
def test_a_key_reads_the_monitors_of_its_account_alone() -> None:
    now = timezone.now()
    partitions.keep_partitions(now, evidence_days=7, rollup_days=400)
    alice = make.account()
    up = make.monitor(alice, name='a "b"', now=now)
    down = make.monitor(alice, name="down", status="down", url="http://127.0.0.1:9/down")
    make.monitor(alice, name="new", status="unknown", url="http://127.0.0.1:9/new")
    make.monitor(make.account("bob"), name="bob's")
    ends_at_ms = unix_ms(now + make.seconds(10.5 * 86_400))
    certificate = Certificate(issuer="CA", expires_at_ms=ends_at_ms, chain_expires_at_ms=ends_at_ms)
    ingest(pack(Results(region="eu", results=[make.result(up, "up", at=now, certificate=certificate)])))
    found = samples(key_of(alice, ["monitors:read"]))
    labels = (str(up.pk), 'a "b"', "http")
    assert found.pop(("upquorum_monitor_latency_seconds", *labels)) == 0.0125
    assert found.pop(("upquorum_monitor_certificate_days", *labels)) == pytest.approx(10.5, abs=0.01)
    assert found == {
        ("upquorum_monitor_up", *labels): 1,
        ("upquorum_monitor_up", str(down.pk), "down", "http"): 0,
    }


@pytest.mark.django_db
def test_a_key_for_something_else_and_a_suspended_account_are_refused() -> None:
    alice = make.account()
    assert ask(key_of(alice, ["webhooks:read"])).status_code == 403
    alice.suspended_at = make.NOW
    alice.save()
    assert ask(key_of(alice)).status_code == 403


@pytest.mark.django_db
def test_the_dashboard_and_the_alerts_name_what_there_is() -> None:
    make.live(now=timezone.now())
    make.monitor()
    ours = {name for name, *_ in samples()}
    ours |= {f"upquorum_{what}_total" for what, _, _ in installation.COUNTERS}
    alerts = yaml.safe_load((REPOSITORY / "ops/prometheus/alerts.yml").read_text())
    rules = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    panels = json.loads((REPOSITORY / "ops/grafana/upquorum.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    named = {name for expression in [*rules, *asked] for name in re.findall(r"upquorum_\w+", expression)}
    assert len(named) > 15
    assert named <= ours
