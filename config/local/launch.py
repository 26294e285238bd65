"""Becomes a program that does not outlive its parent: `launch.py [--unprivileged] PROGRAM [ARGUMENT ...]`.

Run by its path with `python -I`: the standard library alone, so it is gone after 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys

UNPRIVILEGED_USER = "nobody"

# From <linux/prctl.h>, <linux/securebits.h> and <linux/capability.h>.
PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def command(program: list[str], *, unprivileged: bool = False) -> list[str]:
    """The command line that starts `program` through this file."""
    flags = ["--unprivileged"] if unprivileged else []
    return [sys.executable, "-I", __file__, *flags, *program]


def _succeed(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _prctl(*values: int) -> None:
    _succeed(ctypes.CDLL(None, use_errno=True).prctl(*map(ctypes.c_ulong, values)))


def _keep_file_access() -> None:
    """Lets the program that we become pass through folders that only root may enter.

    The checkout and the data may lie below one, and to open up other people's folders is not our place.
    """
    wanted = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(wanted, wanted, wanted)  # effective, permitted, inheritable
    _succeed(ctypes.CDLL(None, use_errno=True).capset(header, sets))
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def drop_root() -> None:
    """From root to another user: PostgreSQL refuses to run as root."""
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    linux = sys.platform == "linux"
    if linux:
        # A change of user shall take no capabilities away, nor shall access(2) ignore them after it.
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    if linux:
        _keep_file_access()


def drop_root_or_exit() -> None:
    try:
        drop_root()
    except OSError as error:
        sys.exit(
            f"PostgreSQL cannot run as root, and root may not change its user here ({error}): use another"
        )


def die_with_parent() -> None:
    """A manager killed by -9 leaves no orphans behind (on Linux; elsewhere there is no such call)."""
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main(arguments: list[str]) -> None:
    if arguments[0] == "--unprivileged":
        arguments = arguments[1:]
        if os.geteuid() == 0:
            drop_root_or_exit()
    die_with_parent()  # after the change of user, which clears it
    os.execvp(arguments[0], arguments)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
