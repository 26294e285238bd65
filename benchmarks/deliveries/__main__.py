"""The command: `python -m benchmarks.deliveries --help`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from threading import Thread

import django
from django.core.management import call_command

from benchmarks.deliveries import processes, report
from benchmarks.deliveries.receivers import Receivers
from benchmarks.environment import REPOSITORY

LOG = REPOSITORY / "build/deliveries.log"


def main() -> None:
    options = arguments()
    LOG.parent.mkdir(exist_ok=True)
    LOG.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="upquorum-") as folder, processes.servers(Path(folder)):
        django.setup()
        call_command("migrate", verbosity=0)
        sent = run(options)
    figures = report.summary(sent, options.kills)
    report.write(figures)
    print(f"{report.table(sent)}\n\n{figures}\nwritten: {report.FILE}")
    sys.exit("\n".join(f"missed: {goal}" for goal in report.missed_goals(figures)) or 0)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.deliveries",
        description="Publishes events to receivers, a third of which misbehave, and kills the worker.",
    )
    parser.add_argument("--events", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--kills", type=int, default=50, help="of a worker (50)")
    parser.add_argument("--workers", type=int, default=2, help="that deliver, one killed at a time (2)")
    return parser.parse_args()


def run(options: argparse.Namespace) -> list[report.Sent]:
    """The run, with its receivers in a thread of their own."""
    from benchmarks.deliveries.chaos import Chaos  # its models want Django set up

    receivers = Receivers()
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    asyncio.run_coroutine_threadsafe(receivers.open(), loop).result()
    workers = [processes.Worker(LOG) for _ in range(options.workers)]
    try:
        return Chaos(receivers, workers, options.events, options.kills).run()
    finally:
        for worker in workers:
            worker.stop()


if __name__ == "__main__":
    main()
