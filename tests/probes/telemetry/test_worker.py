"""A region's worker, as a process: what goes wrong and what it works on arrive, and no secret with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from probes import broker, names
from tests import apart
from tests.probes.telemetry.collector import Collector
from tests.probes.test_worker import REPOSITORY, Core

SECRETS = ("hunter2", "whsec_planted", "upq_planted")
"""A password in a URL, a webhook's secret and an API key."""


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    monkeypatch.setenv("UPQUORUM_REDIS_URL", apart.redis_url(11))
    core = Core(broker.broker_url())
    yield core
    core.close()


@pytest.fixture
def worker(core: Core, collector: Collector) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "probes.worker", "--region", "tele"]
    environment = {**os.environ, **collector.variables(), "SENTRY_ENVIRONMENT": "staging"}
    environment["OTEL_BSP_SCHEDULE_DELAY"] = "60000"  # spans are sent as it ends
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.DEVNULL) as process:
        core.beat()
        yield process
        process.kill()


def test_errors_and_spans_of_a_worker_arrive_without_what_they_were_about(
    core: Core, collector: Collector, worker: subprocess.Popen[bytes]
) -> None:
    queue = names.scheduled_queue("tele")
    core.app.send_task(names.RUN_BATCH, args=["https://me:hunter2@x.example", "whsec_planted"], queue=queue)
    core.app.send_task("no.such.task", args=["upq_planted"], queue=queue)
    core.app.send_task(names.RUN_BATCH, args=[{"version": "hunter2"}], queue=queue)

    raised = collector.event(lambda event: "task" in event["tags"])
    assert raised["tags"] == {"process": "probe", "region": "tele", "task": names.RUN_BATCH, "event": "log"}
    assert (raised["environment"], raised["release"]) == ("staging", "upquorum@0.1")
    (exception,) = raised["exception"]["values"]
    assert (exception["type"], exception.get("value")) == ("TypeError", None)
    assert exception["stacktrace"]["frames"]

    ours = collector.event(lambda event: event["logger"] == "probes.worker")
    assert (ours["tags"]["event"], ours["logentry"]) == ("batch.dropped", {"message": "batch.dropped: %s"})
    collector.event(lambda event: event["logger"] == "celery.worker.consumer.consumer")  # no.such.task

    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    span = collector.span(names.RUN_BATCH, failed=True)
    assert span.about["error.type"] == "TypeError"
    assert span.about["messaging.destination.name"] == queue
    assert (span.of["service.name"], span.of["upquorum.region"]) == ("upquorum-probe", "tele")
    assert collector.saw(*SECRETS) == []
