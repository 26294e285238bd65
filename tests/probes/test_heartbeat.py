"""When a worker that looks alive gives up."""

from __future__ import annotations

import queue
import threading

import pytest
from kombu.exceptions import OperationalError

from probes import heartbeat as module
from probes.heartbeat import EXIT_DEAF, MAX_UNANSWERED, Heartbeat


class Worker:
    """A worker whose broker and ears can fail."""

    def __init__(self) -> None:
        self.is_deaf = False
        self.is_broker_away = False
        self.exits: list[int] = []
        self.heartbeat = Heartbeat(self.send, die=self.exits.append)

    def send(self) -> None:
        if self.is_broker_away:
            raise OperationalError("connection refused")
        if not self.is_deaf:
            self.heartbeat.answered()

    def beat(self, times: int) -> None:
        for _ in range(times):
            self.heartbeat.beat()


def test_a_worker_that_consumes_lives_on() -> None:
    worker = Worker()
    worker.beat(10 * MAX_UNANSWERED)
    assert worker.exits == []


def test_a_deaf_worker_ends() -> None:
    worker = Worker()
    worker.is_deaf = True
    worker.beat(MAX_UNANSWERED)
    assert worker.exits == []
    worker.beat(1)
    assert worker.exits == [EXIT_DEAF]


def test_a_worker_whose_broker_is_away_waits_for_it() -> None:
    worker = Worker()
    worker.is_deaf = worker.is_broker_away = True
    worker.beat(10 * MAX_UNANSWERED)
    worker.is_broker_away = False
    worker.beat(MAX_UNANSWERED - 1)  # the time to reconnect
    worker.is_deaf = False
    worker.beat(2)
    assert worker.exits == []


def test_one_answer_forgives_all_before() -> None:
    worker = Worker()
    for _ in range(3):
        worker.is_deaf = True
        worker.beat(MAX_UNANSWERED - 1)
        worker.is_deaf = False
        worker.beat(1)
    assert worker.exits == []


def test_the_first_echo_goes_out_at_once_and_more_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PERIOD_SECONDS", 0.01)
    sent = threading.Semaphore(0)
    heartbeat = Heartbeat(sent.release)
    heartbeat.start()
    for _ in range(3):
        assert sent.acquire(timeout=5)
        heartbeat.answered()
    heartbeat.stop()


def test_a_worker_that_cannot_even_send_its_echo_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PERIOD_SECONDS", 0.01)
    exits: queue.SimpleQueue[int] = queue.SimpleQueue()

    def fail() -> None:
        raise LookupError("of a library")

    heartbeat = Heartbeat(fail, die=exits.put)
    heartbeat.start()
    assert exits.get(timeout=5) == EXIT_DEAF
    heartbeat.stop()
