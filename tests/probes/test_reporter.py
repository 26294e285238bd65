"""Batches, urgency, and results that cannot be published."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kombu.exceptions import OperationalError
from msgspec.structs import replace

from probes import reporter as module
from probes.messages import ProbeResult, Results
from probes.reporter import BATCH_SIZE, FAILURE_LINGER_SECONDS, LINGER_SECONDS, Reporter


def result(monitor_id: int, round_id: int | None = None) -> ProbeResult:
    return ProbeResult(
        monitor_id=monitor_id,
        config_version=1,
        scheduled_at_ms=1,
        round_id=round_id,
        region="eu",
        outcome="up",
        started_at_ms=2,
        total_ms=3.0,
    )


class Broker:
    """Takes what is published, unless it is told to fail."""

    def __init__(self) -> None:
        self.failures = 0
        self.error: Exception = OperationalError("connection refused")
        self.messages: queue.SimpleQueue[list[int]] = queue.SimpleQueue()

    def publish(self, message: Results) -> None:
        if self.failures:
            self.failures -= 1
            self.messages.put([])
            raise self.error
        self.messages.put([one.monitor_id for one in message.results])

    def next(self) -> list[int]:
        return self.messages.get(timeout=5)


@contextmanager
def running(broker: Broker) -> Iterator[Reporter]:
    reporter = Reporter("eu", broker.publish)
    reporter.start()
    try:
        yield reporter
    finally:
        reporter.close(5)


def test_results_linger_and_go_together() -> None:
    broker = Broker()
    with running(broker) as reporter:
        began = time.monotonic()
        for number in range(3):
            reporter.add(result(number))
        assert broker.next() == [0, 1, 2]
        assert time.monotonic() - began >= LINGER_SECONDS


def test_a_rounds_result_goes_at_once_and_takes_the_others_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 60)
    broker = Broker()
    with running(broker) as reporter:
        reporter.add(result(1))
        reporter.add(result(2, round_id=9))
        assert broker.next() == [1, 2]


def test_a_failure_waits_for_less_company_and_takes_the_others_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 60)
    broker = Broker()
    with running(broker) as reporter:
        began = time.monotonic()
        reporter.add(result(1))
        reporter.add(replace(result(2), outcome="down"))
        assert broker.next() == [1, 2]
        assert time.monotonic() - began >= FAILURE_LINGER_SECONDS


def test_a_full_batch_goes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 60)
    broker = Broker()
    with running(broker) as reporter:
        for number in range(BATCH_SIZE):
            reporter.add(result(number))
        assert broker.next() == list(range(BATCH_SIZE))


def test_after_an_urgent_one_the_others_linger_again() -> None:
    broker = Broker()
    with running(broker) as reporter:
        reporter.add(result(1, round_id=9))
        assert broker.next() == [1]
        began = time.monotonic()
        reporter.add(result(2))
        assert broker.next() == [2]
        assert time.monotonic() - began >= LINGER_SECONDS


@pytest.mark.parametrize("error", [OperationalError("connection refused"), ZeroDivisionError("a bug")])
def test_a_failed_publish_is_logged_with_its_count_and_the_next_one_works(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker()
    broker.failures, broker.error = 1, error
    with running(broker) as reporter:
        reporter.add(result(1, round_id=9))
        assert broker.next() == []
        reporter.add(result(2, round_id=9))
        assert broker.next() == [2]
    assert [vars(record)["results"] for record in caplog.records] == [1]
    assert str(error) in caplog.text


def test_the_buffer_is_bounded(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(module, "MAX_BUFFERED", 3)
    broker = Broker()
    reporter = Reporter("eu", broker.publish)
    for number in range(5):
        reporter.add(result(number))
    reporter.start()
    assert broker.next() == [0, 1, 2]
    reporter.close(5)
    assert [vars(record)["results"] for record in caplog.records] == [2]


def test_closing_publishes_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 60)
    broker = Broker()
    with running(broker) as reporter:
        for number in range(BATCH_SIZE + 1):
            reporter.add(result(number))
    assert broker.next() + broker.next() == list(range(BATCH_SIZE + 1))
