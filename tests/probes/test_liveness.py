"""Whether a process does its work, seen from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from probes import liveness

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    alive = tmp_path / "alive"
    monkeypatch.setenv("UPQUORUM_ALIVE_FILE", str(alive))
    return alive


def test_who_works_is_alive(file: Path) -> None:
    liveness.note()
    assert liveness.trouble(file, time.time()) == ""


def test_who_has_not_worked_yet_is_not(file: Path) -> None:
    assert liveness.trouble(file, time.time()) == "no work was done yet"


def test_who_has_not_worked_for_long_is_not(file: Path) -> None:
    liveness.note()
    assert liveness.trouble(file, time.time() + 31) == "no work was done for 31 s"


def test_without_a_file_nothing_is_noted(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UPQUORUM_ALIVE_FILE")
    liveness.note()
    assert not file.exists()


@pytest.mark.parametrize(("age_seconds", "status"), [(0, 0), (60, 1)])
def test_the_command_says_it_by_its_exit_status(file: Path, age_seconds: int, status: int) -> None:
    file.touch()
    os.utime(file, (time.time() - age_seconds,) * 2)
    done = subprocess.run([sys.executable, "-m", "probes.liveness"], cwd=REPOSITORY, check=False)
    assert done.returncode == status
