"""`make chaos`: each fault is done to a whole system of its own, with targets of scripted truth.

200 monitors are looked at every 5 s. Some targets change before the fault, more while it lasts, and all
are mended after it; each change must be told once, and nothing else. `build/chaos.json` has the rows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chaos import faults
from benchmarks.chaos.faults import Fault, registry
from benchmarks.chaos.network import opened
from benchmarks.chaos.scoring import Row
from benchmarks.chaos.system import LOG, REGIONS, running

OUTPUT = Path("build/chaos.json")
MONITORS = 200
KILLS = 200
LINES_SHOWN = 60
COLUMNS = ("lost", "duplicated", "false", "deliveries_lost", "recovery_s")


def try_one(fault: Fault, monitors: int, folder: Path) -> Row:
    """Do one fault to a system below `folder`, in this process."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    needs_disk = fault.do is faults.fill_disk
    if needs_disk:
        faults.mount_small_disk(data)
    try:
        with opened(REGIONS) as network, running(data, network) as system:
            return asyncio.run(_trial(system, fault, monitors))
    except TimeoutError:
        log = (folder / LOG).read_text().splitlines()
        print(*log[-LINES_SHOWN:], sep="\n", file=sys.stderr)
        raise
    finally:
        if needs_disk:
            faults.unmount(data)


async def _trial(system: object, fault: Fault, monitors: int) -> Row:
    import django

    django.setup()  # the settings want the system's environment
    from benchmarks.chaos.trial import Trial

    trial = Trial(system, monitors)  # type: ignore[arg-type]
    try:
        return await trial.run(fault)
    finally:
        await trial.end()


def try_apart(fault: Fault, arguments: Sequence[str]) -> Row | None:
    """Do one fault in a process of its own, since Django knows one database only; None if that failed."""
    if fault.missing:
        return Row(fault.name, note=fault.missing)
    command = [sys.executable, "-m", "benchmarks.chaos", "--one", fault.name, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(f"{fault.name:<52}the run failed", flush=True)
        return None
    return Row(**json.loads(done.stdout.splitlines()[-1]))


def show(row: Row, seconds: float) -> None:
    """One line of the table."""
    figures = "".join(f"{getattr(row, name) if not row.note else '-':>16}" for name in COLUMNS)
    verdict = row.note or ("" if row.is_met else "  NOT MET")
    print(f"{row.fault:<52}{figures}   {verdict} ({seconds:.0f} s)", flush=True)


def parser() -> argparse.ArgumentParser:
    """The command line's."""
    made = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    made.add_argument("--monitors", type=int, default=MONITORS, help=f"default {MONITORS}")
    made.add_argument("--kills", type=int, default=KILLS, help=f"of random processes, default {KILLS}")
    made.add_argument("--only", default="", help="do the faults whose names hold this text")
    made.add_argument("--list", action="store_true", help="name the faults, and do none")
    made.add_argument("--one", help=argparse.SUPPRESS)
    return made


def main() -> int:
    """0 when every goal is met: nothing lost, doubled or false, and checks again within 15 s of healing."""
    arguments = parser().parse_args()
    chosen = [fault for fault in registry(arguments.kills) if arguments.only in fault.name]
    if arguments.list:
        print(*(f"{fault.name}  {fault.missing}" for fault in chosen), sep="\n")
        return 0
    if arguments.one:
        fault = next(fault for fault in chosen if fault.name == arguments.one)
        with tempfile.TemporaryDirectory(prefix="upquorum-chaos-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o711)
            print(json.dumps(try_one(fault, arguments.monitors, Path(folder)).as_json))
        return 0
    print(f"{'fault':<52}" + "".join(f"{name:>16}" for name in COLUMNS))
    rows = []
    for fault in chosen:
        began = time.monotonic()
        row = try_apart(fault, [f"--monitors={arguments.monitors}", f"--kills={arguments.kills}"])
        if row:
            show(row, time.monotonic() - began)
            rows.append(row)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([row.as_json for row in rows], indent=2) + "\n")
    return 0 if len(rows) == len(chosen) and all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
