"""Heartbeats a second, on one core: web server and PostgreSQL share it, client and all else have the other.

The system is one of its own, started as `make up` does. Each ping comes over a fresh connection, as a job's
does, and is committed before it is answered. The CPU that one costs says more than the rate, for a busy
neighbour cannot change it much.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks.environment import REPOSITORY, Environment
from benchmarks.percentiles import percentiles
from benchmarks.usage import cpu_seconds

OUTPUT = Path("build/bench-api.json")
MONITORS = 2_000
"""So many that each is pinged less than once a second, and every ping leaves a row of evidence."""
CLIENTS = 12
SERVED_ON, ASKED_FROM = 0, 1
"""Cores."""
DATABASE, WEB = "postgres", "gunicorn"
PREPARATION = f"""
from django.utils import timezone
from accounts.models import Account
from api.pings import heed
from incidents.lifecycle import create_monitor
from monitors.heartbeats import token_of

Account.objects.update(monitor_limit={MONITORS})
fields = dict(type="heartbeat", interval_seconds=3600, timeout_ms=1000, enabled=True)
fields["options"] = dict(grace_seconds=60, timezone="UTC")
for number in range({MONITORS}):
    name = f"job {{number}}"
    made = create_monitor(Account.objects.get(), fields | dict(name=name, url=name), timezone.now())
    heed(token_of(made), "", "", timezone.now())
    print(token_of(made))
"""
"""Makes the monitors, each with its first ping, and prints their tokens."""


@dataclass(frozen=True)
class Pings:
    """What a lot of pings took."""

    per_s: float
    p95_ms: float
    web_cpu_ms: float
    database_cpu_ms: float


def measure(environment: Environment, seconds: float) -> Pings:
    """Send pings for so long, `CLIENTS` at once, to `MONITORS` that are up; fail on any answer but 200."""
    tokens = _new_heartbeats(environment)
    _ping_for(environment.port, tokens, 2)  # then every thread has its connection
    _pin(environment)
    web, database = cpu_seconds(_processes(environment, WEB)), cpu_seconds(_processes(environment, DATABASE))
    begin = time.monotonic()
    taken_ms = _ping_for(environment.port, tokens, seconds)
    count, passed = len(taken_ms), time.monotonic() - begin
    return Pings(
        per_s=round(count / passed),
        p95_ms=round(percentiles(taken_ms, 95)[0], 1),
        web_cpu_ms=round((cpu_seconds(_processes(environment, WEB)) - web) * 1000 / count, 3),
        database_cpu_ms=round((cpu_seconds(_processes(environment, DATABASE)) - database) * 1000 / count, 3),
    )


def _new_heartbeats(environment: Environment) -> list[str]:
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", PREPARATION],
        cwd=REPOSITORY,
        env=environment.variables_of_processes(),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return made.stdout.split()


def _pin(environment: Environment) -> None:
    """Web and database to their core with all their threads, and everything else away from it."""
    served = {process.pid for name in (WEB, DATABASE) for process in _processes(environment, name)}
    for process in environment.processes():
        core = SERVED_ON if process.pid in served else ASKED_FROM
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {core})
    os.sched_setaffinity(0, {ASKED_FROM})


def _processes(environment: Environment, name: str) -> Iterator[psutil.Process]:
    for process in environment.processes():
        if name in " ".join(process.cmdline()):
            yield process


def _ping_for(port: int, tokens: list[str], seconds: float) -> list[float]:
    """How long each ping took, in milliseconds."""
    taken_ms: list[float] = []
    failures: list[bytes] = []
    end = time.monotonic() + seconds

    def client(first: int) -> None:
        number = first
        while time.monotonic() < end and not failures:
            begin = time.perf_counter()
            answer = _ping(port, tokens[number % len(tokens)])
            taken_ms.append((time.perf_counter() - begin) * 1000)
            number += CLIENTS
            if not answer.startswith(b"HTTP/1.1 200 "):
                failures.append(answer)

    clients = [threading.Thread(target=client, args=(first,)) for first in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    assert not failures, failures[0]
    return taken_ms


def _ping(port: int, token: str) -> bytes:
    request = f"POST /api/v1/heartbeat/{token} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request.encode())
        parts = []
        while part := connection.recv(4096):
            parts.append(part)
    return b"".join(parts)


def main(seconds: float) -> None:
    """Measure for so long; the figures go into the file of `make bench-api`, beside the others."""
    with tempfile.TemporaryDirectory(prefix="upquorum-bench-pings-") as folder:
        environment = Environment(Path(folder) / "data")
        environment.start()
        try:
            pings = measure(environment, seconds)
        finally:
            environment.stop()
    print(
        f"{pings.per_s:.0f} pings a second on one core, p95 {pings.p95_ms} ms; "
        f"CPU each: {pings.web_cpu_ms} ms web, {pings.database_cpu_ms} ms database"
    )
    figures = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(
        json.dumps(
            figures | {"heartbeat_pings_per_s": pings.per_s, "heartbeat_pings": asdict(pings)}, indent=2
        )
        + "\n"
    )
