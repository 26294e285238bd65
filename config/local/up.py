"""`make up`: prepares the data folder, then becomes the manager of all processes until ctrl-C."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from config.local import conf, folder, manager, postgres, programs, waiting
from config.local.paths import Paths
from probes import env, telemetry

# A killed predecessor's web process may hold the port for another second.
PORT_SECONDS = 2


def main() -> None:
    paths = Paths.from_environment()
    try:
        folder.make_private(paths.data_dir)
        with folder.take_lock(paths):
            manager.run(str(prepare(paths)))
    except (folder.CannotStart, env.BadSetting) as problem:
        sys.exit(f"make up: {problem}")


def prepare(paths: Paths) -> Path:
    """Everything short of starting the processes; returns the manager's configuration file."""
    telemetry.check()
    port, regions = env.integer("PORT", 8000, minimum=1), env.regions()
    wait_for_port(port)
    folder.make_private(paths.sockets)
    folder.make_secret(paths.secret("secret-key"), lambda: secrets.token_urlsafe(50))
    folder.make_secret(paths.secret("encryption-key"), lambda: Fernet.generate_key().decode())
    first = [*embedded_servers(paths), programs.boot()]
    tell_children(paths, port)
    file = paths.data_dir / "supervisord.conf"
    file.write_text(conf.render(paths, first, programs.application(port, regions)))
    return file


def embedded_servers(paths: Paths) -> list[programs.Program]:
    """The servers that the environment does not name."""
    servers = []
    if not env.secret("DATABASE_URL"):
        postgres.prepare(paths)
        servers.append(programs.database(paths))
    if not env.secret("REDIS_URL"):
        servers.append(programs.broker(paths))
    return servers


def tell_children(paths: Paths, port: int) -> None:
    """Sets what they read from the environment: a regional worker knows nothing of the data folder."""
    os.environ["UPQUORUM_DATA_DIR"] = str(paths.data_dir)
    os.environ["UPQUORUM_DATABASE_URL"] = env.secret("DATABASE_URL", paths.database_url)
    os.environ["UPQUORUM_REDIS_URL"] = env.secret("REDIS_URL", paths.redis_url)
    key_file = env.text("ENCRYPTION_KEYS_FILE", str(paths.secret("encryption-key")))
    os.environ["UPQUORUM_ENCRYPTION_KEYS_FILE"] = key_file
    os.environ["UPQUORUM_CANARIES"] = env.text("CANARIES", f"http://127.0.0.1:{port}/healthz")
    if hosts := env.text("ALLOWED_HOSTS"):
        os.environ["UPQUORUM_ALLOWED_HOSTS"] = f"127.0.0.1,{hosts}"  # where config.local.ready asks
    os.environ["PYTHONUNBUFFERED"] = "1"
    # Celery warns of root because a pickled message could be a program; ours are JSON.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser privileges")


def wait_for_port(port: int) -> None:
    """Returns when the port can be had; raises `CannotStart`."""
    try:
        waiting.wait_until(lambda: is_free(port), f"port {port}", seconds=PORT_SECONDS)
    except TimeoutError as error:
        raise folder.CannotStart(f"port {port} is taken: choose another with UPQUORUM_PORT") from error


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    main()
