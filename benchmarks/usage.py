"""What processes use: CPU over a window, and memory, by program."""

from __future__ import annotations

from collections.abc import Iterable

import psutil

PROGRAMS = {
    "postgres": "postgres",
    "valkey-server": "redis",
    "gunicorn": "web",
    " beat ": "beat",
    "config.celery worker": "core",
    "--region ": "probe",
}
"""By a part of its command line."""
MANAGER = "manager"


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """What they have used since they began, with what their children used that ended meanwhile."""
    return sum(map(_cpu_seconds, processes))


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:4])  # its own and its children's, of user and system
    except psutil.NoSuchProcess:  # it ended since it was listed: its parent has its time
        return 0.0


def cpu_by_program(manager: psutil.Process) -> dict[str, float]:
    """The same of each program under `manager`."""
    return {program_of(child): cpu_seconds(tree(child)) for child in manager.children()}


def memory_mb(manager: psutil.Process) -> dict[str, float]:
    """The PSS of each program under `manager`, and its own: a page that several share counts once in all."""
    trees = {program_of(child): tree(child) for child in manager.children()}
    used = {name: sum(map(_pss, processes)) for name, processes in trees.items()}
    return {name: round(mb, 1) for name, mb in sorted({**used, MANAGER: _pss(manager)}.items())}


def tree(process: psutil.Process) -> list[psutil.Process]:
    """A process and all below it."""
    return [process, *process.children(recursive=True)]


def program_of(process: psutil.Process) -> str:
    """Its name in `make up`; a regional worker's with its region."""
    line = " ".join(process.cmdline())
    name = next(name for part, name in PROGRAMS.items() if part in line)
    return f"{name}-{line.split()[-1]}" if name == "probe" else name


def _pss(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss) / 1e6
