"""A launched program keeps access to closed folders when it stops being root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.local import launch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux'")

LOOK = "import os, sys; print(os.geteuid(), os.access(sys.argv[1], os.R_OK))"


def run(*program: str, unprivileged: bool = False) -> str:
    return subprocess.check_output(launch.command(list(program), unprivileged=unprivileged), text=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
def test_root_becomes_somebody_else_who_still_gets_through_closed_folders(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    file = closed / "file"
    file.touch(mode=0o600)
    user, readable = run(sys.executable, "-c", LOOK, str(file), unprivileged=True).split()
    assert user != "0"
    assert readable == "True"


def test_another_user_stays_who_he_is(tmp_path: Path) -> None:
    assert run(sys.executable, "-c", LOOK, str(tmp_path)).split() == [str(os.geteuid()), "True"]
