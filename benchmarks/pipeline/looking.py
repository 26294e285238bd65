"""Probes without a database: a bare loop, blackbox_exporter, and a regional worker with its broker."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import time

import psutil
from celery import Celery
from redis import Redis

from benchmarks.probes import blackbox
from benchmarks.probes.__main__ import BLACKBOX_CONFIG, ROUNDS, rate
from benchmarks.probes.contenders import Ports, bare
from benchmarks.servers import running
from benchmarks.usage import cpu_seconds
from monitors.dispatch import BATCH_SIZE
from probes import broker, names
from probes.clock import now_ms
from probes.messages import Batch, HttpTarget, ProbeRequest, pack

REGION = "eu"
PROBES = 20_000
MOST_UNANSWERED = 5_000
"""Enough that the worker never waits for us, and less than it lets wait."""
WARM_UP = 2_000
START_SECONDS = 20
BLACKBOX_LOOKS = 5_000


def bare_probe_per_s(ports: Ports) -> int:
    """The best of some rounds, by second of CPU."""
    return round(max(rate(bare, ports) for _ in range(ROUNDS)))


def blackbox_probe_per_s(ports: Ports) -> int | None:
    """By the clock, on all cores, which it shares with the loop that asks it and with the target."""
    if not blackbox.PROGRAM:
        return None
    with blackbox.running(BLACKBOX_CONFIG, cores=os.cpu_count() or 1) as (port, _):
        asked = {"http": f"{port}/probe?module=http&target=http://127.0.0.1:{ports['http']}"}
        bare(asked, 500)
        begin = time.perf_counter()
        bare(asked, BLACKBOX_LOOKS)
        return round(BLACKBOX_LOOKS / (time.perf_counter() - begin))


def worker_probe_per_s(url: str) -> int:
    """By second of CPU of a regional worker that is kept busy."""
    results = Redis.from_url(os.environ["UPQUORUM_REDIS_URL"])
    results.flushall()
    command = [sys.executable, "-m", "probes.worker", "--region", REGION]
    with running(command, signal.SIGTERM) as process:
        feed = Feed(results, url)
        feed.run(WARM_UP)
        worker = psutil.Process(process.pid)
        before = cpu_seconds([worker])
        feed.run(PROBES)
        return round(PROBES / (cpu_seconds([worker]) - before))


class Feed:
    """The core's side of the broker: sends batches, and counts what comes home."""

    def __init__(self, redis: Redis, url: str) -> None:
        self._redis = redis
        self._url = url
        self._app = Celery(set_as_current=False, fixups=[])
        self._app.conf.update(broker.CELERY_SETTINGS, broker_url=broker.broker_url())
        self._unanswered = 0

    def run(self, probes: int) -> None:
        """Have so many probes made, and wait for all their results."""
        for first in range(0, probes, BATCH_SIZE):
            while self._unanswered >= MOST_UNANSWERED:
                self._take()
            self._send(first)
        while self._unanswered:
            self._take()

    def _take(self) -> None:
        """The results of one message."""
        popped = self._redis.brpop([names.INGEST_QUEUE], START_SECONDS)
        assert isinstance(popped, tuple), f"no results within {START_SECONDS} s"
        (message,), _, _ = json.loads(base64.b64decode(json.loads(popped[1])["body"]))
        strange = [result for result in message["results"] if result["outcome"] != "up"]
        assert not strange, strange[0]
        self._unanswered -= len(message["results"])

    def _send(self, first: int) -> None:
        requests = [self._request(number) for number in range(first, first + BATCH_SIZE)]
        batch = pack(Batch(region=REGION, requests=requests))
        self._app.send_task(names.RUN_BATCH, args=[batch], queue=names.scheduled_queue(REGION))
        self._unanswered += BATCH_SIZE

    def _request(self, number: int) -> ProbeRequest:
        return ProbeRequest(
            monitor_id=number,
            config_version=1,
            scheduled_at_ms=now_ms(),
            target=HttpTarget(url=f"{self._url}{number}"),
            timeout_ms=10_000,
            suspect_after_ms=1_500,
            start_by_ms=now_ms() + 20_000,
        )
