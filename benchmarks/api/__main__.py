"""`make bench-api`: requests a second, their 95th percentile and the CPU they cost, of the API's main calls.

A whole system of its own answers, as `make up` starts it: one web worker of 16 threads, 8 connections ask.
Client and system share the machine's cores. Then heartbeats' pings, as `benchmarks.api.pings` has them.
`build/bench-api.json` has the figures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.api import pings
from benchmarks.api.load import Load, Request, run
from benchmarks.environment import REPOSITORY, Environment

OUTPUT = Path("build/bench-api.json")
FEW, MANY = 50, 1_000
READS = 2_000
LISTS_OF_MANY = 200


def creation(number: int) -> Request:
    """A monitor of tcp: its creation waits for no verdict, as that of http does."""
    body = {"name": f"m{number}", "type": "tcp", "url": f"127.0.0.1:{10_000 + number}", "interval_sec": 3600}
    return Request("POST", "/monitors", body)


def measure(environment: Environment) -> dict[str, Load]:
    """All of it, one after the other."""
    figures: dict[str, Load] = {}
    run(environment, [creation(number) for number in range(FEW)])
    figures[f"list_{FEW}"] = _told(f"list of {FEW}", run(environment, [Request("GET", "/monitors")] * READS))
    creations = [creation(number) for number in range(FEW, MANY)]
    figures["create"] = _told("create", run(environment, creations))
    lists = [Request("GET", "/monitors")] * LISTS_OF_MANY
    figures[f"list_{MANY}"] = _told(f"list of {MANY}", run(environment, lists))
    ids = [each["id"] for each in environment.call("GET", "/monitors")]
    gets = [Request("GET", f"/monitors/{ids[number % MANY]}") for number in range(READS)]
    figures["get"] = _told("get", run(environment, gets))
    return figures


def lift_the_cap(environment: Environment) -> None:
    """Let the account have as many monitors as are measured."""
    script = f"from accounts.models import Account; Account.objects.update(monitor_limit={MANY})"
    subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", script],
        cwd=REPOSITORY,
        env=environment.variables_of_processes(),
        check=True,
    )


def _told(name: str, load: Load) -> Load:
    print(
        f"{name:>14} {load.per_s:>7.0f}/s   p95 {load.p95_ms:>6.1f} ms   {load.cpu_ms:>5.2f} ms of CPU each",
        flush=True,
    )
    return load


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-api", description=__doc__)
    parser.add_argument("--ping-seconds", type=float, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="upquorum-bench-api-") as folder:
        environment = Environment(Path(folder) / "data")
        environment.start()
        try:
            lift_the_cap(environment)
            figures = measure(environment)
        finally:
            environment.stop()
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps({name: asdict(load) for name, load in figures.items()}, indent=2) + "\n")
    pings.main(arguments.ping_seconds)


if __name__ == "__main__":
    main()
