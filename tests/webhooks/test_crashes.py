"""Workers that may die between any two steps: every delivery is sent, and none after its success."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webhooks.conftest import NOW, publish_delivery
from webhooks.claiming import LEASE, Claim, claim_deliveries
from webhooks.models import OPEN, Delivery, Event, Status, Webhook
from webhooks.outcome import AttemptOutcome
from webhooks.recording import record_attempt
from webhooks.schedule import MOST_ATTEMPTS

T = TypeVar("T")
Step = str | tuple[int, str]
EVENTS = 2
WAITS = {"second": timedelta(seconds=1), "lease": LEASE, "retry": timedelta(hours=2)}
STEPS: list[Step] = [*[(0, "go on"), (1, "go on")] * 4, (0, "crash"), (1, "crash"), *WAITS]
keys = map(str, count())


class Connection:
    """A database connection of its own: a thread that keeps one."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        return self._thread.submit(function, *arguments).result(30)

    def close(self) -> None:
        self.call(lambda: connection.close())
        self._thread.shutdown()


class Worker:
    """One that delivers, a step at a time; what it has in hand is lost when it crashes."""

    def __init__(self, world: World, database: Connection) -> None:
        self._world, self._database = world, database
        self.crash()

    def crash(self) -> None:
        self._steps = self._deliver()

    def go_on(self) -> None:
        if next(self._steps, "done") == "done":
            self._steps = self._deliver()

    def _deliver(self) -> Iterator[str]:
        for claim in self._database.call(claim_deliveries, self._world.now, 1):
            yield "claimed"
            if self._world.now >= claim.lease_until:
                return  # a worker sends what it claimed at once: this one was dead all along
            outcome = self._world.receive(claim)
            yield "sent"
            if self._database.call(record_attempt, claim, outcome, self._world.now) and outcome.delivered:
                self._world.recorded_successes.add(claim.delivery_id)
            yield "recorded"


class World:
    """The time, the receiver, and what it received."""

    def __init__(self, answers: list[bool]) -> None:
        self.now = NOW
        self.received: dict[tuple[int, int], datetime] = {}
        """The delivery and attempt of each request, and until when the lease forbids another."""
        self.recorded_successes: set[int] = set()
        self._answers = answers

    def receive(self, claim: Claim) -> AttemptOutcome:
        assert claim.delivery_id not in self.recorded_successes, "sent after its recorded success"
        request = (claim.delivery_id, claim.attempt)
        assert self.now >= self.received.get(request, self.now), "sent twice under one lease"
        self.received[request] = claim.lease_until
        is_up = self._answers.pop() if self._answers else True
        return AttemptOutcome(duration_ms=5, status_code=204 if is_up else 500)


@pytest.fixture
def databases() -> Iterator[tuple[Connection, Connection]]:
    both = Connection(), Connection()
    yield both
    for database in both:
        database.close()


@pytest.mark.django_db(transaction=True)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.sampled_from(STEPS), min_size=5, max_size=40),
    answers=st.lists(st.booleans(), max_size=20),
)
def test_every_delivery_is_sent_and_none_after_its_success(
    webhook: Webhook,
    databases: tuple[Connection, Connection],
    steps: list[Step],
    answers: list[bool],
) -> None:
    Event.objects.all().delete()  # what an example that failed left open
    world = World(answers)
    workers = [Worker(world, database) for database in databases]
    published = {publish_delivery(webhook, next(keys)).pk for _ in range(EVENTS)}

    for step in steps:
        take(step, world, workers)
    finish(world, workers)

    assert {delivery_id for delivery_id, _ in world.received} == published
    for delivery in Delivery.objects.filter(pk__in=published):
        check_log(delivery, world)


def take(step: Step, world: World, workers: list[Worker]) -> None:
    if isinstance(step, str):
        world.now += WAITS[step]
        return
    number, action = step
    if action == "crash":
        workers[number].crash()
    else:
        workers[number].go_on()


def finish(world: World, workers: list[Worker]) -> None:
    """Crash both, and let one of them go on undisturbed until nothing is open."""
    for worker in workers:
        worker.crash()
    while Delivery.objects.filter(status__in=OPEN).exists():
        world.now += timedelta(hours=2)
        for _ in range(4):
            workers[0].go_on()


def check_log(delivery: Delivery, world: World) -> None:
    """The log has each attempt once, in order; what was sent beyond it was the same attempt again."""
    logged = list(delivery.attempts.order_by("number"))
    assert [attempt.number for attempt in logged] == list(range(1, delivery.attempt_count + 1))
    sent = {number for delivery_id, number in world.received if delivery_id == delivery.pk}
    assert sent == {attempt.number for attempt in logged}
    assert [attempt.status_code for attempt in logged[:-1]] == [500] * (len(logged) - 1)
    is_delivered = logged[-1].status_code == 204
    assert delivery.status == (Status.DELIVERED if is_delivered else Status.FAILED)
    assert is_delivered or len(logged) == MOST_ATTEMPTS
