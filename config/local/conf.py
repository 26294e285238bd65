"""The manager's configuration, in the format of supervisord."""

from __future__ import annotations

import io
import os
import shlex
from collections.abc import Iterable
from configparser import RawConfigParser

from config.local.paths import Paths
from config.local.programs import Program

APPLICATION = "application"

# Started again at once whatever the reason, for as long as the manager lives.
FOR_EVER = 1_000_000


def render(paths: Paths, first: Iterable[Program], later: Iterable[Program]) -> str:
    """The text: `first` start with the manager, and stop last; `later` wait until they are asked for."""
    later = list(later)
    parser = RawConfigParser()
    parser["supervisord"] = _manager(paths)
    for order, program in enumerate(first, start=1):
        parser[f"program:{program.name}"] = _section(program) | {"priority": str(order)}
    for program in later:
        parser[f"program:{program.name}"] = _section(program) | {"autostart": "false"}
    parser[f"group:{APPLICATION}"] = {"programs": ",".join(program.name for program in later)}
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def _manager(paths: Paths) -> dict[str, str]:
    return {
        "nodaemon": "true",
        "user": str(os.getuid()),
        "logfile": os.devnull,  # it also logs to the terminal
        "logfile_maxbytes": "0",
        "loglevel": "warn",
        "pidfile": _literal(str(paths.sockets / "supervisord.pid")),
    }


def _section(program: Program) -> dict[str, str]:
    return {
        "command": _literal(shlex.join(program.command)),
        "autorestart": "false" if program.once else "true",
        "startsecs": "0" if program.once else "1",
        "startretries": str(FOR_EVER),
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_seconds),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": "NONE",
        "stdout_events_enabled": "true",
    }


def _literal(text: str) -> str:
    return text.replace("%", "%%")
