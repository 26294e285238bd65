"""A pytest plugin: the tests' own PostgreSQL and Redis, unless the environment names others.

`-p tests.servers` loads it before Django reads its settings. With `-n`, each process has its own of both.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config.local import postgres, redis, waiting
from config.local.paths import Paths

START_SECONDS = 30
STOP_SECONDS = 10


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Runs around pytest-django's hook of this name, which reads the settings."""
    stack = ExitStack()
    early_config.add_cleanup(stack.close)
    is_given = {"UPQUORUM_DATABASE_URL", "UPQUORUM_REDIS_URL"} <= os.environ.keys()
    numprocesses = getattr(early_config.known_args_namespace, "numprocesses", None)
    runs_none = numprocesses and "PYTEST_XDIST_WORKER" not in os.environ
    if not is_given and not runs_none:
        _start_servers(stack)
    os.environ.update(
        UPQUORUM_SECRET_KEY="only-for-tests",
        UPQUORUM_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        UPQUORUM_ALLOWED_TARGETS="127.0.0.0/8",
        UPQUORUM_MIN_INTERVAL_SECONDS="1",
        UPQUORUM_TCP_PORTS="*",
    )
    return (yield)


def _start_servers(stack: ExitStack) -> None:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="upquorum-tests-"))
    paths = Paths(Path(folder))
    paths.sockets.mkdir(mode=0o700)
    postgres.prepare(paths)
    _run(stack, postgres.command(paths, durable=False), signal.SIGINT)  # SIGINT: without waiting for clients
    _run(stack, redis.command(paths), signal.SIGTERM)
    database_url, redis_url = paths.database_url, paths.redis_url
    waiting.wait_until(lambda: waiting.postgres_answers(database_url), "PostgreSQL", seconds=START_SECONDS)
    waiting.wait_until(lambda: waiting.redis_answers(redis_url), "Redis", seconds=START_SECONDS)
    os.environ.update(UPQUORUM_DATABASE_URL=database_url, UPQUORUM_REDIS_URL=redis_url)


def _run(stack: ExitStack, command: list[str], stop: signal.Signals) -> None:
    # A group of its own: ctrl-C ends the tests first, and they end the servers.
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    stack.callback(server.wait, STOP_SECONDS)
    stack.callback(server.send_signal, stop)
