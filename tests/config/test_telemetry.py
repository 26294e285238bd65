"""The web server and a core worker, as processes: errors and traces arrive, and no secret with them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from celery import Celery

from config import celery
from probes import names
from tests import apart
from tests.config.failing import SECRETS, URL
from tests.probes.telemetry.collector import Collector

REPOSITORY = Path(__file__).parents[2]
CLIENT, SERVER, CONSUMER = 3, 2, 5
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@contextmanager
def running(collector: Collector, *arguments: str, listen: socket.socket | None = None) -> Iterator[None]:
    """A process that sends to `collector`, and ends well when it is told to."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **collector.variables()},
        stderr=subprocess.DEVNULL,
        pass_fds=[listen.fileno()] if listen else [],
    )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()


def status(request: Request) -> int:
    try:
        with urlopen(request, timeout=15) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_requests_that_fail_arrive_with_their_routes_alone(collector: Collector) -> None:
    headers = {
        "Authorization": "Bearer upq_planted",
        "User-Agent": "browser-of-mine",
        "Cookie": "session=hunter2",
        "traceparent": f"00-{TRACE}-{CALLER}-01",
    }
    with socket.create_server(("127.0.0.1", 0)) as listen:  # who connects before gunicorn is there waits
        at = f"http://127.0.0.1:{listen.getsockname()[1]}"
        options = (f"--bind=fd://{listen.fileno()}", "--worker-class=gthread", "--threads=2")
        quiet = ("--no-control-socket", "--logger-class=config.logs.GunicornLogger")
        with running(collector, "gunicorn", "tests.config.failing.web", *options, *quiet, listen=listen):
            for address in (f"{at}/page/feedtoken?url={URL}", f"{at}/rest/feedtoken"):
                assert status(Request(address, headers=headers, data=b"whsec_planted")) == 500
            assert status(Request(f"{at}/healthz")) == 200

    page, api = collector.events
    assert page["tags"] == {"process": "web", "event": "log", "route": "page/<str:token>"}
    assert api["tags"] == {"process": "web", "event": "api.internal_error"}
    for event in (page, api):
        assert [each["type"] for each in event["exception"]["values"]] == ["ValueError", "RuntimeError"]
        assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "fail_over"

    span = collector.span("POST page/<str:token>")
    assert (span.kind, span.trace.hex(), span.parent.hex()) == (SERVER, TRACE, CALLER)
    assert (span.failed, span.about["http.response.status_code"]) == (True, 500)
    assert span.of["service.name"] == "upquorum-web"
    assert not collector.span("GET healthz").failed
    assert collector.saw(*SECRETS) == []


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """Who sends messages, on a database of the broker that no other test uses."""
    with apart.celery_app(12, monkeypatch) as app:
        yield app


def test_tasks_that_fail_arrive_by_name_and_messages_go_on_with_a_trace(
    collector: Collector, sender: Celery
) -> None:
    sender.send_task("tests.fail", args=[URL, "whsec_planted"], queue=names.CORE_QUEUE)
    sender.send_task("tests.first", queue=names.CORE_QUEUE)
    alone = ("--pool=threads", "--concurrency=2", "--without-gossip", "--without-mingle")
    app = "--app=tests.config.failing.tasks"
    with running(collector, "celery", "--quiet", app, "worker", f"--queues={names.CORE_QUEUE}", *alone):
        first, second = collector.span("tests.first"), collector.span("tests.second")
        failed = collector.span("tests.fail")

    (event,) = collector.events
    assert event["tags"] == {"process": "core", "event": "log", "task": "tests.fail"}
    assert [each["type"] for each in event["exception"]["values"]] == ["ValueError", "RuntimeError"]
    assert (second.kind, second.trace, second.parent) == (CONSUMER, first.trace, first.id)
    assert (first.parent, first.failed) == (b"", False)
    assert (failed.failed, failed.about["error.type"]) == (True, "RuntimeError")
    assert failed.trace != first.trace
    assert first.of["service.name"] == "upquorum-core"
    assert collector.saw(*SECRETS) == []


@pytest.mark.parametrize(
    ("queues", "process"),
    [(["deliveries"], "delivery"), (["core", "ingest"], "core"), (["core", "ingest", "deliveries"], "core")],
)
def test_a_worker_is_known_by_its_queues(
    queues: list[str], process: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[str] = []
    monkeypatch.setattr(celery, "set_up_telemetry", known.append)
    celery.set_up_worker(options={"queues": queues})
    assert known == [process]
