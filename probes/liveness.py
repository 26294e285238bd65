"""Whether a process does its work, for those who look from outside: `python -m probes.liveness`.

A process touches its file when it has done a piece of work, not because it exists. So one that hangs, or
is connected and consumes nothing, is seen.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from probes import env

MAX_AGE_SECONDS = 30


def note() -> None:
    """This process has just done some of its work: so says `UPQUORUM_ALIVE_FILE`, if there is to be one."""
    if file := env.text("ALIVE_FILE"):
        Path(file).touch()


def trouble(file: Path, now: float) -> str:
    """Why the process is not to be believed alive at `now`, in Unix seconds; or nothing."""
    try:
        age = now - file.stat().st_mtime
    except FileNotFoundError:
        return "no work was done yet"
    return f"no work was done for {age:.0f} s" if age > MAX_AGE_SECONDS else ""


if __name__ == "__main__":
    sys.exit(trouble(Path(env.text("ALIVE_FILE")), time.time()) or 0)
