"""`make bench-probes`: looks a second that one core makes, by protocol, and by other ways to look.

A rate is looks by second of CPU of the process that looks, the best of three rounds in which all take
turns: so neither the target nor what else this machine does is measured. `build/bench-probes.json` has it.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil

from benchmarks.probes import blackbox
from benchmarks.probes.contenders import (
    TARGETS,
    Look,
    Ports,
    bare,
    bare_aiohttp,
    bare_requests,
    ours,
    ours_by_slot,
)
from benchmarks.probes.sockets import bare_sockets
from probes import collector

OUTPUT = Path("build/bench-probes.json")
OTHERS = ("bare", "sockets", "blackbox", "requests", "aiohttp")
BY_SLOT = (500, 1_500)
"""Looks a second."""
ROUNDS = 3
LOOKS = 2000
"""As many as the engine lets wait."""
WARM_UP = 200
"""Not counted: what a process does once, it did then."""
BLACKBOX_CONFIG = """
modules: {http: {prober: http, timeout: 10s, http: {preferred_ip_protocol: ip4}}}
"""


@contextmanager
def target() -> Iterator[Ports]:
    """The target's ports, while it runs on the last core."""
    command = [sys.executable, "-m", "benchmarks.probes.target"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout
        os.sched_setaffinity(serving.pid, {max(os.sched_getaffinity(0))})
        yield json.loads(serving.stdout.readline())
        serving.communicate("")


def rate(look: Look, ports: Ports) -> float:
    """Looks by second of CPU, in a process of its own, without what it takes to start."""
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_timed, args=(look, ports, child))
    process.start()
    child.close()  # so that a process that fails ends the wait
    seconds: float = parent.recv()
    process.join()
    return LOOKS / seconds


def _timed(look: Look, ports: Ports, answer: multiprocessing.connection.Connection) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    collector.spare()  # as our workers do
    look(ports, WARM_UP)
    begin = time.process_time()
    look(ports, LOOKS)
    answer.send(time.process_time() - begin)


def blackbox_rate(ports: Ports) -> float:
    """Looks by second of CPU of the exporter, asked as Prometheus does but by a faster client."""
    with blackbox.running(BLACKBOX_CONFIG) as (port, pid):
        exporter = psutil.Process(pid)
        asked = {"http": f"{port}/probe?module=http&target=http://127.0.0.1:{ports['http']}"}
        bare(asked, 200)
        before = exporter.cpu_times()
        bare(asked, LOOKS)
        after = exporter.cpu_times()
    return LOOKS / (after.user + after.system - before.user - before.system)


def measure() -> dict[str, object]:
    """All of it, the best round of each; what is not installed is None."""
    looks: dict[str, Look] = {
        "bare": bare,
        "sockets": bare_sockets,
        **{f"ours {name}": ours(name) for name in TARGETS},
        **{f"by slot {per_s}": ours_by_slot(per_s) for per_s in BY_SLOT},
    }
    looks |= {
        module: look
        for module, look in (("requests", bare_requests), ("aiohttp", bare_aiohttp))
        if find_spec(module)
    }
    best: dict[str, float] = {}
    with target() as ports:
        for _ in range(ROUNDS):
            for name, look in looks.items():
                best[name] = max(best.get(name, 0), rate(look, ports))
            if blackbox.PROGRAM:
                best["blackbox"] = max(best.get("blackbox", 0), blackbox_rate(ports))
    others = {name: _whole(best.get(name)) for name in OTHERS}
    by_slot = {str(per_s): _whole(best[f"by slot {per_s}"]) for per_s in BY_SLOT}
    return {**others, "ours": {name: _whole(best[f"ours {name}"]) for name in TARGETS}, "by_slot": by_slot}


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)


def main() -> None:
    """The command line."""
    figures = measure()
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=2) + "\n")
    mine = figures["ours"]
    assert isinstance(mine, dict)
    for name in OTHERS:
        if isinstance(other := figures[name], int):
            print(f"{name:>10} {other:>7}/s    ours on http: {mine['http'] / other:.2f} times that")
    for name, per_second in mine.items():
        print(f"ours {name:>5} {per_second:>7}/s")
    by_slot = figures["by_slot"]
    assert isinstance(by_slot, dict)
    for per_s, per_cpu_second in by_slot.items():
        print(
            f"ours  http, {per_s} a second, each with its slot: {1e6 / per_cpu_second:.0f} us of CPU a look"
        )


if __name__ == "__main__":
    main()
