"""The command: `python -m benchmarks.accuracy --help`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy import report
from benchmarks.accuracy.certificates import Authority
from benchmarks.accuracy.faults import FAULTS, Fault
from benchmarks.accuracy.lab import TIMEOUT_SECONDS, Lab
from benchmarks.accuracy.scoring import Score
from benchmarks.environment import Environment

MOST_MONITORS = 5
"""Of each fault: all those that run at once share an account, which holds 50."""

Scores = defaultdict[str, list[Score]]


def main() -> None:
    options = arguments()
    chosen = [fault for fault in FAULTS if not options.faults or fault.name in options.faults]
    with tempfile.TemporaryDirectory(prefix="upquorum-") as folder:
        scores = asyncio.run(measure(Path(folder), chosen, options))
    unit = options.interval + TIMEOUT_SECONDS
    rows = [report.row(fault.name, scores[fault.name], unit) for fault in chosen]
    report.write(rows, options.interval, TIMEOUT_SECONDS)
    print(f"\n{report.table(rows)}\n\nwritten: {report.FILE}, {report.LOG}")
    missed = report.missed_goals(rows)
    sys.exit("\n".join(f"missed: {goal}" for goal in missed) or 0)


def arguments() -> argparse.Namespace:
    """The command line."""
    names = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(
        prog="benchmarks.accuracy",
        description="Does faults to the real system on local targets, and measures what it tells of them.",
    )
    parser.add_argument("--faults", nargs="+", choices=names, metavar="FAULT", help=f"of: {'; '.join(names)}")
    parser.add_argument("--interval", type=int, default=2, help="of the monitors, in seconds (2)")
    parser.add_argument(
        "--monitors", type=int, default=MOST_MONITORS, choices=range(1, MOST_MONITORS + 1), help="a fault (5)"
    )
    parser.add_argument("--repeat", type=int, default=1, help="how often, with new monitors each time (1)")
    return parser.parse_args()


async def measure(folder: Path, chosen: Sequence[Fault], options: argparse.Namespace) -> Scores:
    """Start a system of its own, do the faults, stop it; the scores of each fault."""
    authority = Authority(folder)
    trust = {"UPQUORUM_CA_FILE": str(authority.file)}
    environment = Environment(folder / "data", trust)
    lab = Lab(environment, authority, options.interval, options.monitors)
    await lab.receiver.target.open()
    try:
        lab.say("starting")
        await asyncio.to_thread(environment.start)
        return await run_all(lab, chosen, options.repeat)
    finally:
        await asyncio.to_thread(environment.stop)
        report.keep_log(environment.log)


async def run_all(lab: Lab, chosen: Sequence[Fault], repeat: int) -> Scores:
    """Those that hurt only their own targets all at once, then the others one by one."""
    scores = Scores(list)
    for _ in range(repeat):
        await asyncio.gather(*(run(lab, fault, scores) for fault in chosen if not fault.alone))
        for fault in chosen:
            if fault.alone:
                await run(lab, fault, scores)
    return scores


async def run(lab: Lab, fault: Fault, scores: Scores) -> None:
    """Do one fault, wait for what may be told of it too much, and judge."""
    group = await fault.run(lab)
    await lab.stay_quiet()
    judged = [fault.judge(watched.causes, watched.arrivals) for watched in group]
    await lab.forget(group)
    scores[fault.name] += judged
    lab.say(report.line(report.row(fault.name, judged, lab.unit)))


if __name__ == "__main__":
    main()
