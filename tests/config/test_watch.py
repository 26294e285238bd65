"""A core worker that is there and takes no task any more ends, so that its manager starts it again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis

from benchmarks.environment import wait_for
from probes import names
from probes.heartbeat import EXIT_DEAF
from tests import apart

REPOSITORY = Path(__file__).parents[2]
OPTIONS = f"--app=config.celery worker --pool=threads --queues={names.DELIVERY_QUEUE} --without-mingle"
IMPATIENT = f"""
import sys
from celery.__main__ import main
from probes import heartbeat

heartbeat.PERIOD_SECONDS, heartbeat.MAX_UNANSWERED = 0.05, 10
sys.argv = ["celery", *{OPTIONS.split()!r}]
main()
"""


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """Who commands workers, on a database of the broker that no other test uses."""
    with apart.celery_app(13, monkeypatch) as app:
        yield app


@pytest.fixture
def worker(core: Celery) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", IMPATIENT]
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def test_a_worker_lives_while_it_hears_its_echo_and_ends_when_it_does_not(
    core: Celery, worker: subprocess.Popen[bytes]
) -> None:
    with core.connection_for_read() as connection:
        redis: Redis = connection.default_channel.client  # type: ignore[attr-defined]
        wait_for("its queue", lambda: redis.keys(f"*binding.{names.echo_queue('core', '*')}"), 20)
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(2)  # four times as long as it has patience
        for key in redis.scan_iter(f"*binding.{names.echo_queue('core', '*')}"):
            core.control.cancel_consumer(key.decode().partition("binding.")[2])
        assert worker.wait(20) == EXIT_DEAF
