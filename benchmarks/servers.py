"""A PostgreSQL and a Redis of a benchmark's own, as `make up` embeds them, but without the rest."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet

from config.local import postgres, redis, waiting
from config.local.paths import Paths

START_SECONDS = 30
STOP_SECONDS = 20


@contextmanager
def servers(folder: Path) -> Iterator[Paths]:
    """Both, named in the environment, as is all else that settings want."""
    paths = Paths(folder)
    paths.sockets.mkdir(mode=0o700)
    postgres.prepare(paths)
    os.environ.update(
        {
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
        yield paths


@contextmanager
def running(command: list[str], stop: signal.Signals) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0)
    try:
        yield process
    finally:
        process.send_signal(stop)
        process.wait(STOP_SECONDS)
