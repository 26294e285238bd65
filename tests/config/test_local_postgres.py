"""The folder of the embedded PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.local import postgres
from config.local.paths import Paths


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """A cluster that was made where an earlier attempt broke off."""
    paths = Paths(tmp_path_factory.mktemp("data"))
    paths.sockets.mkdir()
    (paths.data_dir / "postgres.new").mkdir()
    (paths.data_dir / "postgres.new" / "half").touch()
    postgres.prepare(paths)
    return paths


def test_a_cluster_is_whole_and_private(prepared: Paths) -> None:
    assert (prepared.postgres / "PG_VERSION").read_text() == "18\n"
    assert prepared.postgres.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in prepared.data_dir.glob("postgres*")] == ["postgres"]


def test_a_cluster_is_made_once(prepared: Paths) -> None:
    made_at = (prepared.postgres / "PG_VERSION").stat().st_mtime_ns
    postgres.prepare(prepared)
    assert (prepared.postgres / "PG_VERSION").stat().st_mtime_ns == made_at


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="needs /proc")
def test_a_pid_that_another_program_has_by_now_is_forgotten(prepared: Paths) -> None:
    stale = [prepared.postgres / "postmaster.pid", prepared.sockets / ".s.PGSQL.5432.lock"]
    for file in stale:
        file.write_text(f"{os.getpid()}\n")
    postgres.prepare(prepared)
    assert not any(file.exists() for file in stale)


def test_the_pid_of_a_process_that_is_gone_is_left_to_postgresql(prepared: Paths) -> None:
    pid_file = prepared.postgres / "postmaster.pid"
    pid_file.write_text("4194305\n")  # above the highest that Linux gives
    postgres.prepare(prepared)
    assert pid_file.exists()
    pid_file.unlink()
