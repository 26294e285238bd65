"""Which programs make one machine, in what order they start and how each is told to stop."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.local import launch, postgres, redis
from config.local.paths import Paths
from probes import names

BOOT = "boot"
READY = "ready"


@dataclass(frozen=True)
class Program:
    """One process under the manager. A program that runs `once` is not started again when it ends."""

    name: str
    command: list[str]
    stop_signal: str = "TERM"
    stop_seconds: int = 8
    once: bool = False


def database(paths: Paths) -> Program:
    """The embedded PostgreSQL."""
    return Program("postgres", postgres.command(paths), stop_signal="INT")  # INT: without waiting for clients


def broker(paths: Paths) -> Program:
    """The embedded Valkey, under the name of the protocol."""
    return Program("redis", redis.command(paths))


def boot() -> Program:
    """Runs when the servers do; the application starts when it succeeds."""
    return Program(BOOT, _module("config.local.boot"), once=True)


def application(port: int, regions: Sequence[str]) -> Iterator[Program]:
    """The processes of Upquorum itself, and the one that waits for them and says so."""
    yield Program("web", _web(port))
    yield Program("beat", _celery("beat"))
    yield Program("core", _core())
    for region in regions:
        yield Program(f"probe-{region}", _module("probes.worker", "--region", region))
    yield Program(READY, _module("config.local.ready", str(port)), once=True)


def _web(port: int) -> list[str]:
    # The port is shared for the moment when a worker outlives its killed master by up to a second.
    server = ["--worker-class=gthread", "--workers=1", "--threads=16", "--reuse-port", "--graceful-timeout=5"]
    quiet = ["--log-level=warning", "--logger-class=config.logs.GunicornLogger", "--no-control-socket"]
    return _module("gunicorn", "config.wsgi", f"--bind=127.0.0.1:{port}", *server, *quiet)


def _core() -> list[str]:
    queues = ",".join([names.CORE_QUEUE, names.INGEST_QUEUE, names.DELIVERY_QUEUE])
    alone = ["--without-gossip", "--without-mingle"]
    return _celery("worker", "--pool=threads", "--concurrency=4", f"--queues={queues}", *alone)


def _celery(command: str, *options: str) -> list[str]:
    return _module("celery", "--quiet", "--app=config.celery", command, "--loglevel=WARNING", *options)


def _module(name: str, *arguments: str) -> list[str]:
    return launch.command([sys.executable, "-m", name, *arguments])
