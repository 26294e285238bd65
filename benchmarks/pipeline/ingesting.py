"""How many results a second `ingest` takes, in the messages that regions send, one task at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec
import psycopg
from django.conf import settings
from django.db import connection as django_connection
from django.utils import timezone

from benchmarks.pipeline import loading
from benchmarks.pipeline.costs import Costs
from incidents.tasks import ingest
from monitors.slots import latest_slot_ms
from monitors.tasks import keep_partitions
from probes.instants import unix_ms
from probes.messages import ProbeResult, Results, pack
from probes.reporter import BATCH_SIZE

MONITORS = 200_000
INTERVAL_SECONDS = 60
MESSAGES = 200
WARM_UP = 20


def ingest_rows_per_s(database_url: str, say: Callable[[str], None]) -> int:
    """Results stored a second, all of them quiet."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        loading.load(connection, MONITORS, INTERVAL_SECONDS, "http://127.0.0.1:9/")
        loading.settle(connection)
    keep_partitions()
    sent = list(messages())
    for message in sent[:WARM_UP]:
        ingest(message)
    costs, begin = Costs(), time.perf_counter()
    for message in sent[WARM_UP:]:
        ingest(message)
    seconds = time.perf_counter() - begin
    say(f"ingest: {costs.per_check(BATCH_SIZE * (MESSAGES - WARM_UP))}")
    assert _stored() == len(sent) * BATCH_SIZE, "not all was stored"
    return round(BATCH_SIZE * (len(sent) - WARM_UP) / seconds)


def messages() -> Iterator[msgspec.Raw]:
    """As regions in turns would send them: monitors in the order of their slots."""
    now_ms = unix_ms(timezone.now() - timedelta(seconds=INTERVAL_SECONDS))
    slots = {
        number: latest_slot_ms(number, INTERVAL_SECONDS * 1000, now_ms) for number in range(1, MONITORS + 1)
    }
    turns = sorted(slots, key=slots.__getitem__)[: MESSAGES * BATCH_SIZE]
    for number in range(MESSAGES):
        region = settings.REGIONS[number % len(settings.REGIONS)]
        chosen = turns[number * BATCH_SIZE : (number + 1) * BATCH_SIZE]
        yield pack(Results(region=region, results=[_result(each, slots[each], region) for each in chosen]))


def _result(monitor_id: int, slot_ms: int, region: str) -> ProbeResult:
    """What a probe of the local target gives."""
    return ProbeResult(
        monitor_id=monitor_id,
        config_version=1,
        scheduled_at_ms=slot_ms,
        region=region,
        outcome="up",
        started_at_ms=slot_ms + 200,
        total_ms=1.234,
        status_code=200,
        address="127.0.0.1",
        family=4,
        dns_ms=0.012,
        connect_ms=0.345,
        ttfb_ms=1.111,
        download_ms=0.01,
    )


def _stored() -> int:
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM monitors_evidence")
        (count,) = cursor.fetchone()
    return int(count)
