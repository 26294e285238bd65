"""Stops the main thread of a process and none of its others: it lives, and consumes nothing.

`python -m benchmarks.chaos.freezing PID` holds it until it is killed, or until the process ends.
"""

from __future__ import annotations

import ctypes
import os
import sys

# From <linux/ptrace.h>.
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207


def main(pid: int) -> None:
    """Of the threads of a process the first has its number."""
    libc = ctypes.CDLL(None, use_errno=True)
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        if libc.ptrace(request, pid, None, None) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    while True:
        _, status = os.waitpid(pid, 0x40000000)  # __WALL: threads, too
        if not os.WIFSTOPPED(status):
            return


if __name__ == "__main__":
    main(int(sys.argv[1]))
