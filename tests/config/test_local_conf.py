"""The manager understands its configuration as it was meant."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from supervisor.options import ServerOptions

from config.local import conf, programs
from config.local.paths import Paths
from config.local.programs import Program


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path)
    paths.sockets.mkdir(parents=True, exist_ok=True)
    return paths


def understood(paths: Paths, first: list[Program], later: list[Program]) -> dict[str, Any]:
    """Each program by name, as the manager read it."""
    file = paths.data_dir / "supervisord.conf"
    file.write_text(conf.render(paths, first, later))
    options = ServerOptions()
    options.realize(["-c", str(file)])
    return {
        process.name: process for group in options.process_group_configs for process in group.process_configs
    }


def test_a_command_survives_spaces_quotes_and_percent_signs(paths: Paths) -> None:
    command = ["/with space/program", "it's", "100%", "%(here)s"]
    assert shlex.split(understood(paths, [Program("odd", command)], [])["odd"].command) == command


def test_servers_start_alone_and_the_application_waits(paths: Paths) -> None:
    found = understood(
        paths, [programs.broker(paths), programs.boot()], list(programs.application(8000, ["eu"]))
    )
    assert [name for name, process in found.items() if process.autostart] == ["redis", "boot"]


def test_what_serves_is_started_again_and_what_runs_once_is_not(paths: Paths) -> None:
    found = understood(paths, [programs.boot()], list(programs.application(8000, ["eu", "us"])))
    once = {name for name, process in found.items() if not process.autorestart}
    assert once == {programs.BOOT, programs.READY}
    assert set(found) - once == {"web", "beat", "core", "probe-eu", "probe-us"}


def test_servers_stop_after_the_application(paths: Paths) -> None:
    file = paths.data_dir / "supervisord.conf"
    file.write_text(conf.render(paths, [programs.broker(paths)], [Program("web", ["true"])]))
    options = ServerOptions()
    options.realize(["-c", str(file)])
    assert [group.name for group in sorted(options.process_group_configs)] == ["redis", conf.APPLICATION]
