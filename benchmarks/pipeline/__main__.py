"""The command: `python -m benchmarks.pipeline --help`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

import django
from django.core.management import call_command

from benchmarks.pipeline import figures
from benchmarks.pipeline.figures import Figures
from benchmarks.probes.__main__ import target
from benchmarks.servers import servers

PARTS = ("bare", "worker", "blackbox", "naive", "ingest", "claim", "pipeline")
SHARED = """\
{cores} cores carried all of it. By second of CPU: a process that has a core to itself. By the clock: whatever
is measured shares all cores with its PostgreSQL and Redis, with what asks it, and with the target, which is
kept to the last core and whose CPU counts for nobody; and with whatever else this machine does."""
BEGAN = time.monotonic()


def main() -> None:
    options = arguments()
    measured = figures.ordered(measure(options.only or PARTS))
    goals = figures.goals(measured)
    print(
        f"\n{figures.table(measured)}\n\n{SHARED.format(cores=os.cpu_count())}\n\n{figures.verdicts(goals)}"
    )
    if not options.only:
        figures.write(measured)
        print(f"\nwritten: {figures.FILE}")
    if options.strict and not all(goal.is_met for goal in goals):
        sys.exit(1)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.pipeline",
        description="Measures checks from the schedule to the database, beside other ways to do them.",
        epilog="Exits with 0 whether the goals are met or not, and with 1 when a measurement fails.",
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure these alone, and write no file")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is not met")
    return parser.parse_args()


def measure(parts: Collection[str]) -> Figures:
    """One part after the other: nothing but its own processes and the target runs meanwhile."""
    with tempfile.TemporaryDirectory(prefix="upquorum-") as folder, target() as ports:
        with servers(Path(folder)):
            django.setup()
            call_command("migrate", verbosity=0)
            from benchmarks.pipeline import parts as smaller  # which want Django set up
            from benchmarks.pipeline.capacity import pipeline

            measured = smaller.measure(parts, ports, say)
        if "pipeline" in parts:
            say("pipeline ...")
            measured |= pipeline(Path(folder), ports, say)
    return measured


def say(text: str) -> None:
    """Progress, on stderr."""
    print(f"{time.monotonic() - BEGAN:5.0f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
