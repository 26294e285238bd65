"""The worker as a process, with a real broker: batches in, results and beats out."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError

from probes import broker, names
from probes.clock import now_ms
from probes.messages import Batch, ProbeRequest, RegionBeat, Results, pack, unpack
from tests import apart
from tests.probes.asking import ask
from tests.probes.listeners import Listener, answer, response

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def redis_url() -> str:
    return apart.redis_url(11)


class Core:
    """What a worker has to do with: the broker, seen from the other side."""

    def __init__(self, broker_url: str) -> None:
        self.app = Celery("core", broker=broker_url, set_as_current=False, fixups=[])
        self.app.conf.update(broker.CELERY_SETTINGS)
        self.connection: Connection = self.app.connection_for_read()
        self.redis: Any = self.connection.default_channel.client  # type: ignore[attr-defined]
        self.redis.flushdb()

    def send(self, region: str, *requests: ProbeRequest, urgent: bool = False) -> None:
        queue = names.urgent_queue(region) if urgent else names.scheduled_queue(region)
        self.send_raw(queue, pack(Batch(region=region, urgent=urgent, requests=list(requests))))

    def send_raw(self, queue: str, raw: object) -> None:
        self.app.send_task(names.RUN_BATCH, args=[raw], queue=queue)

    def take(self, queue: str, timeout_seconds: float = 15) -> Any:
        """The argument of the next task on `queue`."""
        with self.connection.SimpleQueue(queue) as waiting:
            message = waiting.get(timeout=timeout_seconds)
            message.ack()
        (argument,), _, _ = message.payload
        return argument

    def results(self) -> Results:
        return unpack(self.take(names.INGEST_QUEUE), Results)

    def beat(self) -> RegionBeat:
        return unpack(self.take(names.CORE_QUEUE), RegionBeat)

    def close(self) -> None:
        self.redis.flushdb()
        self.connection.close()
        self.app.close()


@pytest.fixture
def core(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    monkeypatch.setenv("UPQUORUM_REDIS_URL", redis_url)
    core = Core(broker.broker_url())
    yield core
    core.close()


@pytest.fixture
def region() -> str:
    return f"t{secrets.token_hex(4)}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.fixture
def canary() -> Iterator[Listener]:
    """What tells the worker that it can see the world."""
    with Listener() as server:
        yield server


@pytest.fixture
def worker(core: Core, region: str, log: Path, canary: Listener) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of `region` that has consumed its first echo."""
    command = [sys.executable, "-m", "probes.worker", "--region", region]
    settings = {"UPQUORUM_ALLOWED_TARGETS": "127.0.0.0/8", "UPQUORUM_CANARIES": canary.url}
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **settings}, stderr=stderr)
    beat = core.beat()
    assert (beat.region, beat.in_flight) == (region, 0)
    assert beat.worker == f"{region}@{socket.gethostname()}-{process.pid}"
    yield process
    process.kill()
    process.wait()


@pytest.mark.usefixtures("worker")
def test_a_batch_goes_in_and_its_results_come_out(core: Core, region: str, listener: Listener) -> None:
    core.send(region, ask(1, listener.url), ask(2, f"{listener.url}/x", round_id=5), urgent=True)
    got = core.results()
    results = list(got.results)
    if len(results) < 2:  # the round's result did not wait for the other
        results += core.results().results
    assert got.region == region
    assert {result.monitor_id: (result.outcome, result.round_id) for result in results} == {
        1: ("up", None),
        2: ("up", 5),
    }


@pytest.mark.usefixtures("worker")
def test_of_what_a_region_takes_the_broker_keeps_no_copy(core: Core, region: str, listener: Listener) -> None:
    """It would cost each message three commands, and is what kombu does for those who acknowledge."""
    arrived = threading.Event()

    def note(connection: socket.socket, request: bytes) -> None:
        arrived.set()
        answer(response())(connection, request)

    listener.script = note
    core.redis.config_resetstat()
    core.send(region, ask(1, listener.url))
    assert arrived.wait(10)
    asked: dict[str, object] = core.redis.info("commandstats")
    assert "cmdstat_brpop" in asked
    assert not {"cmdstat_zadd", "cmdstat_hset"} & set(asked)


@pytest.mark.usefixtures("worker")
def test_a_sick_region_abstains_and_its_beat_says_so(
    core: Core, region: str, canary: Listener, listener: Listener, closed_port: int
) -> None:
    down = ask(1, f"http://127.0.0.1:{closed_port}", round_id=1)
    core.send(region, down)
    assert [result.outcome for result in core.results().results] == ["down"]
    canary.script = answer(response(503))
    core.send(region, down)
    (result,) = core.results().results
    assert (result.outcome, result.error_class) == ("error", "region_sick")
    core.send(region, ask(2, listener.url))
    assert [result.outcome for result in core.results().results] == ["up"]
    sick = f"canary 127.0.0.1:{canary.port}: status 503"
    assert any(core.beat().sick == sick for _ in range(2))


def test_messages_that_are_no_batch_are_dropped(
    core: Core, region: str, listener: Listener, log: Path, worker: subprocess.Popen[bytes]
) -> None:
    queue = names.scheduled_queue(region)
    core.send_raw(queue, "garbage")
    core.send_raw(queue, {"version": 99, "region": region, "requests": []})
    core.send_raw(queue, pack(Batch(region="elsewhere", requests=[ask(1, listener.url)])))
    core.app.send_task(names.RUN_BATCH, args=[], queue=queue)
    core.app.send_task("no.such.task", queue=queue)
    core.send(region, ask(2, listener.url))
    assert [result.monitor_id for result in core.results().results] == [2]
    assert listener.count() == 1
    assert worker.poll() is None
    text = log.read_text()
    for reason in ("got `str`", "version 99 is not 1", "for region elsewhere", "no.such.task"):
        assert reason in text


@pytest.mark.usefixtures("worker")
def test_a_batch_that_nobody_waits_for_any_more_is_dropped_whole(
    core: Core, region: str, listener: Listener, log: Path
) -> None:
    old, new = (
        Batch(region=region, requests=[ask(id_, listener.url)], expires_at_ms=now_ms() + in_ms)
        for id_, in_ms in ((1, -1), (2, 60_000))
    )
    for batch in (old, new):
        core.send_raw(names.scheduled_queue(region), pack(batch))
    assert [result.monitor_id for result in core.results().results] == [2]
    assert "batch.dropped: nobody waits for its 1 probes any more" in log.read_text()


def test_the_brokers_clock_can_be_asked_for_and_its_absence_is_said(core: Core, tmp_path: Path) -> None:
    assert abs(broker.time_ms(core.connection) - now_ms()) < 10_000
    with (
        pytest.raises(OperationalError),
        Connection(f"redis+socket://{tmp_path}/none.sock", transport_options={"max_retries": 1}) as away,
    ):
        broker.time_ms(away)


def envelope_without_id(queue: str, tag: int) -> bytes:
    """A message that kombu takes for one, and Celery does not."""
    info = {"exchange": "", "routing_key": queue}
    properties = {"delivery_tag": f"tag {tag}", "delivery_info": info, "body_encoding": "base64"}
    kind = {"content-type": "application/json", "content-encoding": "utf-8"}
    return json.dumps({"body": "W10=", "headers": {"task": "x"}, "properties": properties, **kind}).encode()


def test_what_no_celery_put_on_a_queue_is_logged_and_dropped(
    core: Core, region: str, listener: Listener, log: Path, worker: subprocess.Popen[bytes]
) -> None:
    queue = names.scheduled_queue(region)
    garbage = [
        b"\xff not json",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"body": "x", "properties": {}}',
        b"[" * 100_000,
        *(envelope_without_id(queue, tag) for tag in range(20)),  # more than a worker holds
    ]
    for message in garbage:
        core.redis.lpush(queue, message)
    core.send(region, ask(2, listener.url))
    assert [result.monitor_id for result in core.results().results] == [2]
    assert worker.poll() is None
    assert log.read_text().count("broker.dropped") == len(garbage)


def test_a_worker_that_was_frozen_meanwhile_blames_no_target(
    core: Core, region: str, listener: Listener, worker: subprocess.Popen[bytes]
) -> None:
    arrived = threading.Event()

    def hold(connection: socket.socket, request: bytes) -> None:
        arrived.set()
        connection.recv(1)  # until the other side gives up

    listener.script = hold
    core.send(region, ask(1, listener.url, timeout_ms=500))
    assert arrived.wait(10)
    worker.send_signal(signal.SIGSTOP)
    threading.Timer(2.5, worker.send_signal, [signal.SIGCONT]).start()
    result = core.results().results[0]
    assert (result.outcome, result.error_class) == ("error", "internal")
    assert "stood still" in result.error


def test_sigterm_lets_what_runs_end(
    core: Core, region: str, listener: Listener, worker: subprocess.Popen[bytes]
) -> None:
    arrived, let_through = threading.Event(), threading.Event()

    def hold(connection: socket.socket, request: bytes) -> None:
        arrived.set()
        let_through.wait(10)
        answer(response())(connection, request)

    listener.script = hold
    core.send(region, ask(1, listener.url, timeout_ms=9000))
    assert arrived.wait(10)
    worker.send_signal(signal.SIGTERM)
    threading.Timer(0.5, let_through.set).start()
    assert worker.wait(timeout=15) == 0
    assert [result.outcome for result in core.results().results] == ["up"]


def test_django_stays_out_even_when_it_is_configured() -> None:
    code = "import sys, probes.worker as w; w.app.finalize(); print(*sys.modules)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    )
    # kombu imports django.utils for its JSON where Django is installed; that configures nothing
    assert not {"django.conf", "django.db", "django.apps", "config.settings"} & set(done.stdout.split())


@pytest.mark.parametrize("arguments", [[], ["--region", ""], ["--region", "EU West"]])
def test_a_worker_without_a_region_says_what_it_needs(arguments: list[str]) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "UPQUORUM_REGION"}
    command = [sys.executable, "-m", "probes.worker", *arguments]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "UPQUORUM_REGION must name a region" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CANARIES", "nowhere", "UPQUORUM_CANARIES: 'nowhere'"),
        ("ALLOWED_TARGETS", "192.168.1.5/16", "UPQUORUM_ALLOWED_TARGETS: 192.168.1.5/16 has host bits set"),
        ("REDIS_URL", "redis://no-such-host.invalid", "UPQUORUM_REDIS_URL: the name 'no-such-host.invalid'"),
        ("REDIS_URL_FILE", "no-such-file", "UPQUORUM_REDIS_URL_FILE: no-such-file cannot be read"),
    ],
)
def test_a_worker_with_a_setting_that_it_cannot_use_says_so(name: str, value: str, said: str) -> None:
    environment = {**os.environ, "UPQUORUM_REDIS_URL": "", f"UPQUORUM_{name}": value}
    command = [sys.executable, "-m", "probes.worker", "--region", "eu"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
