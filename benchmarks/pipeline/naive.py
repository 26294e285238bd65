"""The design that most would write: a Celery task for each check, `requests`, and an INSERT.

It is spared what a whole one would cost: no claim, no retries, no state, no Django. What schedules it is a
loop that always has the next task ready.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import count

import psycopg
import requests
from celery import Celery
from redis import Redis

from benchmarks.servers import running
from probes.broker import broker_url

Say = Callable[[str], None]

QUEUE = "naive"
BACKLOG = 500
SENT_AT_ONCE = 50
WARM_UP_SECONDS = 4.0
WINDOW_SECONDS = 8.0
START_SECONDS = 30
POOLS = (("prefork", 2), ("prefork", 4), ("prefork", 8), ("threads", 8))
"""The settings of the worker of which the best one counts."""

CREATE = """
CREATE TABLE naive_result (
    id bigserial PRIMARY KEY,
    monitor_id bigint NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now(),
    status_code integer NOT NULL,
    total_ms double precision NOT NULL
)
"""
INSERT = "INSERT INTO naive_result (monitor_id, status_code, total_ms) VALUES (%s, %s, %s)"

app = Celery("naive", broker=broker_url(), fixups=[])
app.conf.update(task_ignore_result=True, task_default_queue=QUEUE, broker_connection_retry_on_startup=True)
ours = threading.local()


@app.task(name="check")
def check(monitor_id: int, url: str) -> None:
    """One check."""
    begin = time.perf_counter()
    response = requests.get(url, timeout=10)
    total_ms = (time.perf_counter() - begin) * 1000
    database().execute(INSERT, (monitor_id, response.status_code, total_ms))


def database() -> psycopg.Connection[tuple[object, ...]]:
    """The connection of this process, or thread."""
    if not hasattr(ours, "connection"):
        ours.connection = psycopg.connect(os.environ["UPQUORUM_DATABASE_URL"], autocommit=True)
    connection: psycopg.Connection[tuple[object, ...]] = ours.connection
    return connection


def naive_checks_per_s(url: str, say: Say) -> int:
    """By the clock, on all cores: the best of the settings."""
    database().execute("DROP TABLE IF EXISTS naive_result")
    database().execute(CREATE)
    rates = {f"{pool} {size}": _rate(url, pool, size) for pool, size in POOLS}
    say(", ".join(f"{name}: {rate:.0f}/s" for name, rate in rates.items()))
    return round(max(rates.values()))


def _rate(url: str, pool: str, size: int) -> float:
    command = [sys.executable, "-m", "celery", "--quiet", "--app=benchmarks.pipeline.naive", "worker"]
    command += [f"--pool={pool}", f"--concurrency={size}", "--without-gossip", "--without-mingle"]
    stopped = threading.Event()
    scheduler = threading.Thread(target=_schedule, args=(url, stopped))
    with running(command, signal.SIGTERM) as worker:
        scheduler.start()
        try:
            return _measure()
        finally:
            os.killpg(worker.pid, signal.SIGKILL)  # a warm shutdown of its full queue does not end
            stopped.set()
            scheduler.join()
            Redis.from_url(os.environ["UPQUORUM_REDIS_URL"]).delete(QUEUE)


def _measure() -> float:
    first, give_up_at = _done(), time.monotonic() + START_SECONDS
    while _done() == first:
        assert time.monotonic() < give_up_at, f"no check within {START_SECONDS} s"
        time.sleep(0.1)
    time.sleep(WARM_UP_SECONDS)
    before, begin = _done(), time.perf_counter()
    time.sleep(WINDOW_SECONDS)
    return (_done() - before) / (time.perf_counter() - begin)


def _schedule(url: str, stopped: threading.Event) -> None:
    """Send checks for as long as the queue is not full."""
    redis, numbers = Redis.from_url(os.environ["UPQUORUM_REDIS_URL"]), count(1)
    while not stopped.is_set():
        if redis.llen(QUEUE) >= BACKLOG:
            time.sleep(0.01)
            continue
        for _ in range(SENT_AT_ONCE):
            number = next(numbers)
            check.delay(number, f"{url}{number}")


def _done() -> int:
    row = database().execute("SELECT count(*) FROM naive_result").fetchone()
    assert row
    return int(str(row[0]))
