"""What is done to the system: one function a fault, one line in the registry.

A fault lasts as long as its function runs, which returns the instant of healing.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.chaos.network import is_possible
from benchmarks.chaos.system import REGIONS, System

LIBFAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
SKEW_SECONDS = 60
KILL_SECONDS = (0.8, 2.2)
"""Between two kills."""
SHORT_SECONDS, LONG_SECONDS = 20, 90
DISK_BYTES = 400 * 1024 * 1024
GROW = "CREATE TABLE grown AS SELECT generate_series(1, 100000)"
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Fault:
    """A fault, and why it may not be done here; empty: it can."""

    name: str
    do: Callable[[System], Awaitable[float]]
    missing: str = ""


async def nothing(system: System) -> float:
    """What the others are compared with."""
    await asyncio.sleep(SHORT_SECONDS)
    return time.monotonic()


def kills(count: int) -> Callable[[System], Awaitable[float]]:
    """SIGKILL of `count` processes, drawn from all kinds."""

    async def do(system: System) -> float:
        drawn = random.Random(1)
        for _ in range(count):
            drawn.choice(list(system.services.values())).kill()
            await asyncio.sleep(drawn.uniform(*KILL_SECONDS))
        return time.monotonic()

    return do


async def kill_broker(system: System) -> float:
    system.services["redis"].kill()
    return time.monotonic()


async def restart_broker(system: System) -> float:
    await asyncio.to_thread(system.services["redis"].restart)
    return time.monotonic()


async def flush_broker(system: System) -> float:
    """Everything in it is gone, again and again."""
    for _ in range(10):
        await asyncio.to_thread(system.broker().flushall)
        await asyncio.sleep(2)
    return time.monotonic()


async def freeze_broker(system: System) -> float:
    system.services["redis"].freeze()
    await asyncio.sleep(SHORT_SECONDS)
    system.services["redis"].thaw()
    return time.monotonic()


def cut(*users: str, seconds: float) -> Callable[[System], Awaitable[float]]:
    """Packets to the broker are dropped: nobody is told that a connection is gone."""

    async def do(system: System) -> float:
        assert system.network
        system.network.cut(*users)
        await asyncio.sleep(seconds)
        system.network.heal()
        return time.monotonic()

    return do


async def restart_database(system: System) -> float:
    await asyncio.to_thread(system.services["postgres"].restart)
    return time.monotonic()


async def kill_database(system: System) -> float:
    system.services["postgres"].kill()
    return time.monotonic()


async def terminate_connections(system: System) -> float:
    """Every connection to the database ends, once a second."""
    for _ in range(10):
        await asyncio.to_thread(_execute, system, TERMINATE)
        await asyncio.sleep(1)
    return time.monotonic()


def deafen(name: str) -> Callable[[System], Awaitable[float]]:
    """A worker lives and consumes nothing, until it finds that out and ends itself."""

    async def do(system: System) -> float:
        service = system.services[name]
        began, pid = time.monotonic(), service.process.pid
        command = [sys.executable, "-m", "benchmarks.chaos.freezing", str(pid)]
        holder = await asyncio.create_subprocess_exec(*command)
        while service.ended_at < began:
            await asyncio.sleep(0.1)
        await holder.wait()  # it ends with whom it holds
        return service.ended_at

    return do


def skew(seconds: int) -> Callable[[System], Awaitable[float]]:
    """The clock of a region's worker is wrong; put right when it is healed."""
    wrong = {
        "LD_PRELOAD": str(LIBFAKETIME),
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }

    async def do(system: System) -> float:
        service = system.services[REGIONS[0]]
        service.variables |= wrong
        await asyncio.to_thread(service.restart)
        await asyncio.sleep(LONG_SECONDS)
        service.variables = {name: value for name, value in service.variables.items() if name not in wrong}
        await asyncio.to_thread(service.restart)
        return time.monotonic()

    return do


async def fill_disk(system: System) -> float:
    """The disk of the database is full; then there is room again. It is a small one of its own."""
    filler = system.folder / "filler"
    await asyncio.to_thread(_fill, filler)
    await asyncio.sleep(SHORT_SECONDS)
    await asyncio.to_thread(_must_fail, system, GROW)
    filler.unlink()
    return time.monotonic()


async def roll(system: System) -> float:
    """Every process of the application is restarted, one after the other."""
    for service in system.application:
        await asyncio.to_thread(service.restart)
        await asyncio.sleep(3)
    return time.monotonic()


def registry(kill_count: int) -> list[Fault]:
    """All faults, in the order of the table."""
    no_network = "" if is_possible() else "needs root, iproute2 and iptables"
    no_freezing = "" if os.geteuid() == 0 else "needs root"
    no_skew = "" if LIBFAKETIME else "needs libfaketime"
    return [
        Fault("none", nothing),
        Fault(f"{kill_count} processes killed at random", kills(kill_count)),
        Fault("broker killed", kill_broker),
        Fault("broker restarted", restart_broker),
        Fault("broker flushed 10 times", flush_broker),
        Fault(f"broker frozen for {SHORT_SECONDS} s", freeze_broker),
        Fault(
            f"packets to the broker dropped for {SHORT_SECONDS} s",
            cut("core", *REGIONS, seconds=SHORT_SECONDS),
            no_network,
        ),
        Fault("database restarted", restart_database),
        Fault("database killed", kill_database),
        Fault("connections to the database terminated for 10 s", terminate_connections),
        Fault("one region cut off for 90 s", cut(REGIONS[0], seconds=LONG_SECONDS), no_network),
        Fault("every region cut off for 90 s", cut(*REGIONS, seconds=LONG_SECONDS), no_network),
        Fault("a region's worker that consumes nothing", deafen(REGIONS[0]), no_freezing),
        Fault("a core worker that consumes nothing", deafen("core"), no_freezing),
        Fault("a worker's clock a minute ahead", skew(SKEW_SECONDS), no_skew),
        Fault("a worker's clock a minute behind", skew(-SKEW_SECONDS), no_skew),
        Fault(f"the database's disk full for {SHORT_SECONDS} s", fill_disk, no_network),
        Fault("rolling restart", roll),
    ]


def _execute(system: System, statement: str) -> None:
    with psycopg.connect(system.paths.database_url, autocommit=True) as connection:
        connection.execute(statement)


def _must_fail(system: System, statement: str) -> None:
    """Fail unless the database refuses: else the fault was none."""
    try:
        _execute(system, statement)
    except psycopg.Error:
        return
    raise AssertionError(f"the database did as if nothing was: {statement}")


def _fill(filler: Path) -> None:
    """Take what is left of the disk, to the last kilobyte."""
    chunk = b"\0" * 1024
    with filler.open("wb", buffering=0) as file:
        try:
            for size in (1024, 1):
                while True:
                    file.write(chunk * size)
        except OSError:
            file.flush()


def mount_small_disk(folder: Path) -> None:
    """Put a small disk where the database will have its files."""
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "upquorum-chaos", str(folder)], check=True
    )


def unmount(folder: Path) -> None:
    """Take it away again."""
    subprocess.run(["umount", str(folder)], check=True)
