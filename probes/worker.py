"""The worker of one region: `python -m probes.worker --region eu`.

It needs the broker and nothing else. It takes batches off its two queues, hands them to the engine,
and sends the results home. Messages are acknowledged early: a batch that is lost with its worker is
claimed again when its lease runs out, which is sooner than the broker would deliver it again.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NoReturn

import msgspec
from celery import Celery, signals
from kombu import Queue

from probes import broker, clock, collector, env, liveness, logs, names, telemetry
from probes.canary import Canaries, Canary, configured_canaries
from probes.engine import Engine
from probes.guard import AddressPolicy, configured_policy
from probes.heartbeat import ECHO_EXPIRES_SECONDS, ECHO_QUEUE_EXPIRES_SECONDS, Heartbeat, end
from probes.instants import from_unix_ms
from probes.messages import BadMessage, Batch, RegionBeat, Results, pack, unpack
from probes.reporter import Reporter
from probes.telemetry import tasks

logger = logging.getLogger("probes.worker")

ECHO = "probes.echo"
CONSUMER_THREADS = 4
RESULTS_EXPIRE_SECONDS = 600
DRAIN_SECONDS = 10.0
CLOSE_SECONDS = 5.0
PUBLISH_RETRIES = {"max_retries": 3, "interval_start": 0.1, "interval_step": 0.4, "interval_max": 1.0}

# The default fixups import Django if it is configured; and who imports this keeps the app that it has.
app = Celery("upquorum-probes", fixups=[], set_as_current=False)
app.conf.update(broker.CELERY_SETTINGS)
app.conf.update(worker_enable_remote_control=False)


class RegionalWorker:
    """The engine of a region, and its ways in and out."""

    def __init__(self, region: str, policy: AddressPolicy, canaries: Sequence[Canary]) -> None:
        self.region = region
        process = f"{socket.gethostname()}-{os.getpid()}"
        self.name = f"{region}@{process}"
        self.echo_queue = names.echo_queue(region, process)
        self.reporter = Reporter(region, send_results)
        self.canaries = Canaries(canaries)
        self.engine = Engine(region, policy, self.reporter.add, canaries=self.canaries)
        self.heartbeat = Heartbeat(self.send_echo)

    def run_batch(self, raw: msgspec.Raw) -> None:
        """Takes one message: what is not for us is logged and dropped, the rest goes to the engine."""
        try:
            batch = unpack(raw, Batch)
        except BadMessage as error:
            logger.error("batch.dropped: %s", error)
            return
        if batch.region != self.region:
            logger.error("batch.dropped: it is for region %s", batch.region)
            return
        if batch.expires_at_ms is not None and clock.now_ms() > batch.expires_at_ms:
            logger.warning("batch.dropped: nobody waits for its %d probes any more", len(batch.requests))
            return
        self.engine.submit(batch.requests, urgent=batch.urgent)

    def send_echo(self) -> None:
        """Sends this worker a task through the broker, after setting the clock by the broker's."""
        set_clock()
        app.send_task(ECHO, queue=self.echo_queue, expires=ECHO_EXPIRES_SECONDS, retry=False)

    def echo(self) -> None:
        """The task: the worker has consumed, and says so to the core."""
        self.heartbeat.answered()
        liveness.note()
        beat = RegionBeat(
            region=self.region,
            worker=self.name,
            sent_at_ms=clock.own_ms(),
            in_flight=self.engine.in_flight,
            sick=self.canaries.sick,
        )
        app.send_task(
            names.REGION_BEAT,
            args=[pack(beat)],
            queue=names.CORE_QUEUE,
            declare=[],  # a region only ever writes to the core's queues
            expires=instant_in(ECHO_EXPIRES_SECONDS),
            retry=False,
        )

    def run(self) -> int:
        """Consumes until SIGTERM, then lets the running probes end; the exit status."""
        app.task(name=names.RUN_BATCH)(self.run_batch)
        app.task(name=ECHO)(self.echo)
        app.conf.task_queues = self._queues()
        consumer = app.Worker(
            hostname=self.name,
            pool="threads",
            concurrency=CONSUMER_THREADS,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
        collector.spare()
        for part in (self.reporter, self.engine, self.heartbeat):
            part.start()
        consumer.start()
        self._stop()
        return int(consumer.exitcode or 0)

    def _queues(self) -> list[Queue]:
        regional = (names.urgent_queue(self.region), names.scheduled_queue(self.region))
        return [*map(broker.queue, regional), broker.queue(self.echo_queue, ECHO_QUEUE_EXPIRES_SECONDS)]

    def _stop(self) -> None:
        self.heartbeat.stop()
        if not self.engine.drain(DRAIN_SECONDS):
            logger.warning("worker.gave_up: probes were under way", extra={"probes": self.engine.in_flight})
        self.engine.stop()
        self.reporter.close(CLOSE_SECONDS)


def send_results(results: Results) -> None:
    """Publishes to the core; raises `OperationalError` when the retries are used up."""
    app.send_task(
        names.INGEST,
        args=[pack(results)],
        queue=names.INGEST_QUEUE,
        declare=[],
        argsrepr=broker.SHOWN,
        expires=instant_in(RESULTS_EXPIRE_SECONDS),
        retry_policy=PUBLISH_RETRIES,
    )


def set_clock() -> None:
    """Sets the clock by the broker's; raises `OperationalError` while that is away."""
    with app.pool.acquire(block=True) as connection:
        clock.set_by(lambda: broker.time_ms(connection))  # type: ignore[arg-type]  # a Connection it is


def instant_in(seconds: float) -> datetime:
    """That much from now, by the broker's clock; the core judges by its own whether it came too late."""
    return from_unix_ms(clock.now_ms()) + timedelta(seconds=seconds)


@signals.setup_logging.connect
def keep_logging(**_: object) -> None:
    """Receives the signal, which keeps Celery's hands off what is set up."""


def raise_file_limit() -> None:
    """As many open files as we may have: every probe in flight holds at least one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> NoReturn:
    """The command line."""
    parser = argparse.ArgumentParser(prog="probes.worker", description="Run the probes of one region.")
    parser.add_argument("--region", default=env.text("REGION"), help="default: $UPQUORUM_REGION")
    region = parser.parse_args().region
    if not env.REGION_NAME.fullmatch(region):
        parser.error(f"--region or {env.PREFIX}REGION must name a region, not {region!r}")
    try:
        logs.set_up()
        canaries = configured_canaries()
        env.ca_file()
        url = broker.broker_url()
        policy = configured_policy({"REDIS_URL": url})
        telemetry.set_up("probe", region)
    except env.BadSetting as error:
        parser.error(str(error))
    tasks.connect()
    raise_file_limit()
    app.conf.update(broker_url=url, broker_transport_options=broker.regional_options(region))
    worker = RegionalWorker(region, policy, canaries)
    end(worker.run())


if __name__ == "__main__":
    main()
