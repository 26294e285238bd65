"""The command: `python -m benchmarks.history --help`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import django

from benchmarks.environment import Environment
from benchmarks.history import report


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="upquorum-history-") as folder:
        environment = Environment(Path(folder) / "data")
        environment.start()
        try:
            figures = run(environment, options)
        finally:
            environment.stop()
    report.write(figures)
    print(f"{report.table(figures)}\nwritten: {report.FILE}")
    sys.exit("\n".join(f"missed: {goal}" for goal in report.missed_goals(figures)) or 0)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.history",
        description="Loads history into a whole system, and asks it for results, uptime and latency.",
    )
    parser.add_argument("--monitors", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--days", type=int, default=30, help="of hourly rollups (30)")
    parser.add_argument("--raw-days", type=int, default=1, help="of evidence of every monitor (1)")
    parser.add_argument("--asked", type=int, default=200, help="monitors that are asked about (200)")
    parser.add_argument("--asked-days", type=int, default=7, help="of evidence of these (7)")
    parser.add_argument("--requests", type=int, default=400, help="to each endpoint (400)")
    return parser.parse_args()


def run(environment: Environment, options: argparse.Namespace) -> report.Figures:
    """Load, then measure, with a connection of our own to the system's database."""
    os.environ.update(DJANGO_SETTINGS_MODULE="config.settings", UPQUORUM_DATA_DIR=str(environment.folder))
    django.setup()
    from benchmarks.history import load, measure  # their models want Django set up

    size = load.Size(options.monitors, options.days, options.raw_days, options.asked, options.asked_days)
    monitor_ids = load.load(size)
    load.vacuum()
    loaded = load.stored(size)
    print(report.loaded_text(loaded), flush=True)
    rollup_hour_s = measure.rollup_seconds()
    before = measure.rows_scanned()
    endpoints = measure.endpoints(environment, monitor_ids, options.requests)
    return report.Figures(loaded, rollup_hour_s, endpoints, measure.rows_scanned() - before)


if __name__ == "__main__":
    main()
