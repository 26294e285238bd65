"""The system under test: every process of its own, the broker on a network that can be cut."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from cryptography.fernet import Fernet

from benchmarks.chaos.network import CORE, Network
from benchmarks.chaos.services import Service
from benchmarks.environment import free_port
from config.local import launch, postgres, waiting
from config.local import redis as broker
from config.local.paths import Paths
from probes import names

REGIONS = ("eu", "us", "ap")
START_SECONDS = 60
BROKER_PORT = 6379
LOG = "system.log"


class System:
    """Its services by name: postgres, redis, web, beat, core, delivery and one for each region."""

    def __init__(self, folder: Path, network: Network | None) -> None:
        self.folder, self.network = folder, network
        self.paths = Paths(folder)
        self.log = folder.parent / LOG
        self.port = free_port()
        self._local_broker_port = free_port()
        self.services: dict[str, Service] = {}

    @property
    def application(self) -> list[Service]:
        """All but the database and the broker."""
        return [each for name, each in self.services.items() if name not in ("postgres", "redis")]

    def broker_url(self, user: str = CORE) -> str:
        """The broker as `user` reaches it: the core, or a region by its name."""
        if self.network is None:
            return f"redis://127.0.0.1:{self._local_broker_port}/0"
        return f"redis://{self.network.addresses[user]}:{BROKER_PORT}/0"

    def broker(self) -> redis.Redis:
        """A client of the broker."""
        return redis.Redis.from_url(self.broker_url(), socket_timeout=5)

    def start(self) -> None:
        """Servers first, then the tables, then all others."""
        self.paths.sockets.mkdir(mode=0o700)
        postgres.prepare(self.paths)
        os.environ.update(self._variables())
        self._add("postgres", postgres.command(self.paths), stop=signal.SIGINT)
        self._add("redis", self._broker_command())
        waiting.wait_until(
            lambda: waiting.postgres_answers(self.paths.database_url), "PostgreSQL", seconds=START_SECONDS
        )
        waiting.wait_until(
            lambda: waiting.redis_answers(self.broker_url()), "the broker", seconds=START_SECONDS
        )
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
        self._start_application()

    def stop(self) -> None:
        """End everything, the servers last."""
        for service in reversed(self.services.values()):
            service.stop()

    def _start_application(self) -> None:
        web = ["--worker-class=gthread", "--threads=8", "--log-level=warning", "--no-control-socket"]
        self._add("web", _module("gunicorn", "config.wsgi", f"--bind=127.0.0.1:{self.port}", *web))
        self._add("beat", _celery("beat"))
        self._add("core", _worker(4, names.CORE_QUEUE, names.INGEST_QUEUE))
        self._add("delivery", _worker(2, names.DELIVERY_QUEUE))
        for region in REGIONS:
            own = {"UPQUORUM_REDIS_URL": self.broker_url(region)}
            self._add(region, _module("probes.worker", "--region", region), own)

    def _add(
        self,
        name: str,
        command: list[str],
        variables: dict[str, str] | None = None,
        stop: signal.Signals = signal.SIGTERM,
    ) -> None:
        service = Service(name, command, self.log, variables, stop)
        service.start()
        self.services[name] = service

    def _broker_command(self) -> list[str]:
        settings = {"port": str(self._local_broker_port), "protected-mode": "no"}
        if self.network is not None:
            addresses = " ".join(self.network.addresses.values())
            settings = {"port": str(BROKER_PORT), "protected-mode": "no", "bind": addresses}
        lasting = {name: value for name, value in broker.SETTINGS.items() if name != "unixsocketperm"}
        options = [part for name, value in (lasting | settings).items() for part in (f"--{name}", value)]
        command = [broker.binary(), *options]
        return launch.command(self.network.inside(command) if self.network else command)

    def _variables(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "UPQUORUM_DATA_DIR": str(self.folder),
            "UPQUORUM_DATABASE_URL": self.paths.database_url,
            "UPQUORUM_REDIS_URL": self.broker_url(),
            "UPQUORUM_SECRET_KEY": "only-for-a-benchmark",
            "UPQUORUM_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "UPQUORUM_ALLOWED_TARGETS": "127.0.0.0/8",
            "UPQUORUM_MIN_INTERVAL_SECONDS": "1",
            "UPQUORUM_CANARIES": f"http://127.0.0.1:{self.port}/healthz",
            "UPQUORUM_REGIONS": ",".join(REGIONS),
        }


@contextmanager
def running(folder: Path, network: Network | None) -> Iterator[System]:
    """A system that ends with the block."""
    system = System(folder, network)
    with ExitStack() as stack:
        stack.callback(system.stop)
        system.start()
        yield system


def _worker(threads: int, *queues: str) -> list[str]:
    alone = ["--without-gossip", "--without-mingle"]
    return _celery(
        "worker", "--pool=threads", f"--concurrency={threads}", f"--queues={','.join(queues)}", *alone
    )


def _celery(command: str, *options: str) -> list[str]:
    return _module("celery", "--quiet", "--app=config.celery", command, "--loglevel=WARNING", *options)


def _module(name: str, *arguments: str) -> list[str]:
    return launch.command([sys.executable, "-m", name, *arguments])
