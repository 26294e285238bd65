"""The manager with real processes: it starts them again, and leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from config.local import conf, launch, programs
from config.local.paths import Paths
from config.local.programs import Program
from config.local.waiting import wait_until

SECONDS = 15
Start = Callable[[list[str]], "subprocess.Popen[str]"]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path)
    paths.sockets.mkdir(parents=True, exist_ok=True)
    return paths


@pytest.fixture
def start(paths: Paths) -> Iterator[Start]:
    """Starts a manager of a broker and a program that sleeps, with a `boot` of one's choice."""
    started: list[subprocess.Popen[str]] = []

    def start(boot: list[str]) -> subprocess.Popen[str]:
        sleeper = Program("sleeper", launch.command(["sh", "-c", "echo awake; exec sleep 600"]))
        first = [programs.broker(paths), Program(programs.BOOT, boot, once=True)]
        file = paths.data_dir / "supervisord.conf"
        file.write_text(conf.render(paths, first, [sleeper]))
        code = f"from config.local import manager; manager.run({str(file)!r})"
        started.append(
            subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, bufsize=1)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def broker_pid(paths: Paths) -> int | None:
    """The process id of the broker, where one answers."""
    try:
        with redis.Redis.from_url(paths.redis_url) as client:
            return int(client.info("server")["process_id"])
    except redis.ConnectionError:
        return None


def wait_for_line(manager: subprocess.Popen[str], ending: str) -> str:
    assert manager.stdout is not None
    return next(line for line in manager.stdout if line.endswith(ending + "\n"))


def test_a_killed_broker_comes_back_on_the_same_socket(paths: Paths, start: Start) -> None:
    wait_for_line(start(["true"]), "awake")
    wait_until(lambda: broker_pid(paths) is not None, "the broker", seconds=SECONDS)
    killed = broker_pid(paths)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: broker_pid(paths) not in (None, killed), "another broker", seconds=SECONDS)


def test_the_application_starts_after_boot_and_its_output_carries_its_name(start: Start) -> None:
    assert wait_for_line(start(["true"]), "awake") == "sleeper   | awake\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_all_its_processes(paths: Paths, start: Start, how: signal.Signals) -> None:
    manager = start(["true"])
    wait_for_line(manager, "awake")
    manager.send_signal(how)
    assert manager.wait(SECONDS) == 0
    assert broker_pid(paths) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed parent")
def test_a_killed_manager_leaves_nothing_behind(paths: Paths, start: Start) -> None:
    manager = start(["true"])
    wait_for_line(manager, "awake")
    wait_until(lambda: broker_pid(paths) is not None, "the broker", seconds=SECONDS)
    manager.kill()
    wait_until(lambda: broker_pid(paths) is None, "the end of the broker", seconds=SECONDS)


def test_a_failed_boot_ends_it_all(paths: Paths, start: Start) -> None:
    manager = start(["false"])
    assert manager.wait(SECONDS) == 1
    assert broker_pid(paths) is None
