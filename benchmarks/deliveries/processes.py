"""The servers and the delivery worker: started, killed, started again, and ended with the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet

from benchmarks.deliveries.clock import FILE
from benchmarks.environment import REPOSITORY
from config.local import postgres, redis, waiting
from config.local.paths import Paths
from probes import names

START_SECONDS = 30
STOP_SECONDS = 20


@contextmanager
def servers(folder: Path) -> Iterator[None]:
    """A PostgreSQL and a Redis of their own, named in the environment, as is all else that settings want."""
    paths = Paths(folder)
    paths.sockets.mkdir(mode=0o700)
    postgres.prepare(paths)
    (folder / "skipped").write_text("0")
    os.environ.update(
        {
            FILE: str(folder / "skipped"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "UPQUORUM_DATABASE_URL": paths.database_url,
            "UPQUORUM_REDIS_URL": paths.redis_url,
            "UPQUORUM_SECRET_KEY": "only-for-a-benchmark",
            "UPQUORUM_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "UPQUORUM_ALLOWED_TARGETS": "127.0.0.0/8",
        }
    )
    with running(postgres.command(paths), signal.SIGINT), running(redis.command(paths), signal.SIGTERM):
        waiting.wait_until(
            lambda: waiting.postgres_answers(paths.database_url), "PostgreSQL", seconds=START_SECONDS
        )
        waiting.wait_until(lambda: waiting.redis_answers(paths.redis_url), "Redis", seconds=START_SECONDS)
        yield


@contextmanager
def running(command: list[str], stop: signal.Signals) -> Iterator[None]:
    """A process that ends with the block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0)
    try:
        yield
    finally:
        process.send_signal(stop)
        process.wait(STOP_SECONDS)


class Worker:
    """The delivery worker, which is started again at once when it was killed."""

    COMMAND = (
        *(sys.executable, "-m", "celery", "--quiet", "--app=benchmarks.deliveries.worker", "worker"),
        *("--pool=threads", "--concurrency=2", f"--queues={names.DELIVERY_QUEUE}", "--loglevel=ERROR"),
        *("--without-gossip", "--without-mingle"),
    )

    def __init__(self, log: Path) -> None:
        self._log = log
        self.start()

    def start(self) -> None:
        """Begin, and do not wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.COMMAND, cwd=REPOSITORY, stdout=log, stderr=log, process_group=0
            )

    def kill(self) -> None:
        """SIGKILL, and another takes its place."""
        self._process.kill()
        self._process.wait()
        self.start()

    def stop(self) -> None:
        """End it: what it has in hand does not matter any more."""
        self._process.kill()
        self._process.wait()
