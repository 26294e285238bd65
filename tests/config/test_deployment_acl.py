"""A region's user on a real broker: it can do its work, over TLS, and touch nothing that is not its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from config.deployment import acl
from config.local import redis, waiting
from probes import broker, names
from probes.messages import Batch, RegionBeat, Results, pack, unpack
from tests.probes.asking import ask
from tests.probes.listeners import Listener
from tests.probes.tls import server_context

REPOSITORY = Path(__file__).parents[2]
PASSWORDS = {"eu": "of-eu", "us": "of-us", "eu-north": "of-north"}


class Server:
    """A Valkey with the ACL of an installation of three regions."""

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, user: str, password: str) -> str:
        return f"redis://{user}:{password}@127.0.0.1:{self.port}/0"

    def regional(self, region: str) -> str:
        return self.url(acl.regional_user(region), PASSWORDS[region])

    @property
    def core(self) -> str:
        return self.url(acl.CORE, "of-core")

    def refused(self) -> list[str]:
        """What the server denied: the reason and the command, key or channel."""
        with Redis.from_url(self.url("admin", "of-admin"), decode_responses=True) as admin:
            log: Any = admin.acl_log()
            return [f"{entry['reason']} {entry['object']}" for entry in log]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file = tmp_path_factory.mktemp("acl") / "users.acl"
    admin = "user admin on >of-admin ~* &* +@all\n"
    file.write_text(acl.render("of-core", PASSWORDS) + admin)
    running = Server(free_port())
    command = [redis.binary(), "--port", str(running.port), "--aclfile", str(file), "--save", ""]
    with subprocess.Popen([*command, "--protected-mode", "no"], stdout=subprocess.DEVNULL) as process:
        waiting.wait_until(lambda: waiting.redis_answers(running.core), "Valkey", seconds=10)
        yield running
        process.terminate()


@pytest.fixture
def tls_port(server: Server, authority: trustme.CA) -> Iterator[int]:
    """The server behind TLS."""
    context = server_context(authority.issue_cert("127.0.0.1"))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = listening.accept()
                    threading.Thread(target=talk, args=(accepted,), daemon=True).start()

        def talk(accepted: socket.socket) -> None:
            behind = socket.create_connection(("127.0.0.1", server.port))
            with (
                suppress(OSError),
                accepted,
                behind,
                context.wrap_socket(accepted, server_side=True) as secure,
            ):
                back = threading.Thread(target=carry, args=(behind, secure), daemon=True)
                back.start()
                carry(secure, behind)
                back.join()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


def carry(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with suppress(OSError):
        to.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as target:
        yield target


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


class Core:
    """The other end: sends a region its work and takes what it reports."""

    def __init__(self, url: str) -> None:
        self.app = Celery("core", broker=url, set_as_current=False, fixups=[])
        self.app.conf.update(broker.CELERY_SETTINGS)
        self.connection: Any = self.app.connection_for_read()

    def send(self, batch: Batch) -> None:
        self.app.send_task(names.RUN_BATCH, args=[pack(batch)], queue=names.scheduled_queue(batch.region))

    def take(self, queue: str) -> Any:
        with self.connection.SimpleQueue(queue) as waiting_:
            message = waiting_.get(timeout=20)
            message.ack()
        return message.payload[0][0]

    def close(self) -> None:
        self.connection.close()
        self.app.close()


def test_a_worker_far_away_does_its_work_over_tls(
    server: Server, tls_port: int, authority: trustme.CA, tmp_path: Path, listener: Listener
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    url = f"rediss://probe-eu:of-eu@127.0.0.1:{tls_port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}"
    variables = {"UPQUORUM_REDIS_URL": url, "UPQUORUM_ALLOWED_TARGETS": "127.0.0.0/8"}
    command = [sys.executable, "-m", "probes.worker", "--region", "eu"]
    with closing(Core(server.core)) as core:
        process = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **variables})
        try:
            assert unpack(core.take(names.CORE_QUEUE), RegionBeat).region == "eu"
            core.send(Batch(region="eu", requests=[ask(1, listener.url)]))
            (result,) = unpack(core.take(names.INGEST_QUEUE), Results).results
        finally:
            process.terminate()
            process.wait(20)
    assert (result.monitor_id, result.outcome) == (1, "up")
    assert process.returncode == 0
    assert {denied for denied in server.refused() if "client|" not in denied} == set()


def test_a_stranger_s_certificate_is_refused(tls_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPQUORUM_REDIS_URL", f"rediss://probe-eu:of-eu@127.0.0.1:{tls_port}/0")
    with (
        Connection(broker.broker_url(), transport_options=broker.TRANSPORT_OPTIONS) as connection,
        pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        connection.default_channel.client.ping()  # type: ignore[attr-defined]


def test_what_a_worker_held_is_put_back(server: Server) -> None:
    options = broker.regional_options("eu")
    with Connection(server.regional("eu"), transport_options=options) as connection:
        queue = connection.SimpleQueue(names.urgent_queue("eu"))
        queue.put("x")
        queue.get(timeout=5)
        channel: Any = queue.channel
        channel.qos.restore_visible()
        channel.sweep_bindings()
    with Connection(server.regional("eu"), transport_options=options) as connection:
        message = connection.SimpleQueue(names.urgent_queue("eu")).get(timeout=5)
        message.ack()
    assert message.payload == "x"


ELSEWHERE = [
    "probe.us",
    "urgent.us",
    "echo.us@host-1",
    "probe.eu-north",
    "_kombu.binding_deadlines.us",
    "ingest",
    "core",
]
LOOKS = ["get", "lrange 0 -1", "rpop", "brpop 1", "hgetall", "smembers", "ltrim 0 0", "del", "dump"]


@pytest.mark.parametrize("key", ELSEWHERE)
def test_a_region_reads_and_takes_nothing_that_is_not_its_own(server: Server, key: str) -> None:
    with Redis.from_url(server.regional("eu")) as eu:
        for look in LOOKS:
            command, *arguments = look.split()
            with pytest.raises(NoPermissionError):
                eu.execute_command(command, key, *arguments)


@pytest.mark.parametrize("queue", ["probe.us", "urgent.us", "deliveries"])
def test_a_region_sends_no_one_work(server: Server, queue: str) -> None:
    with Redis.from_url(server.regional("eu")) as eu, pytest.raises(NoPermissionError):
        eu.lpush(queue, "{}")


@pytest.mark.parametrize(
    "key", ["_kombu.binding.core", "_kombu.binding.probe.us", "_kombu.binding_deadlines"]
)
def test_a_region_has_nothing_sent_to_itself(server: Server, key: str) -> None:
    with Redis.from_url(server.regional("eu")) as eu, pytest.raises(NoPermissionError):
        eu.sadd(key, "x")


@pytest.mark.parametrize("command", ["keys *", "scan 0", "config get *", "acl list", "flushall", "monitor"])
def test_a_region_does_not_manage_the_server(server: Server, command: str) -> None:
    with Redis.from_url(server.regional("eu")) as eu, pytest.raises(NoPermissionError):
        eu.execute_command(*command.split())


def test_who_says_no_password_may_ask_whether_it_lives_and_no_more(server: Server) -> None:
    with Redis(port=server.port) as anyone:
        assert anyone.ping()
        with pytest.raises(RedisError):
            anyone.get("probe.eu")
