"""The run: events at an even pace while the worker is killed, then on until every delivery has ended."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from threading import Event as Stop
from threading import Thread

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from accounts.models import Account
from benchmarks.deliveries import clock
from benchmarks.deliveries.processes import Worker
from benchmarks.deliveries.receivers import KINDS, Kind, Receivers
from benchmarks.deliveries.report import Sent
from benchmarks.environment import wait_for
from webhooks import services
from webhooks.models import OPEN, Delivery, Webhook
from webhooks.outbox import publish
from webhooks.tasks import deliver_soon

KILL_SECONDS = (4.0, 8.0)
"""Between two kills."""


class Chaos:
    """One run, its events, and when each was committed."""

    def __init__(self, receivers: Receivers, workers: Sequence[Worker], events: int, kills: int) -> None:
        self._receivers, self._workers = receivers, workers
        self._kills = kills
        self._seconds_between = kills * sum(KILL_SECONDS) / 2 / events
        self._kinds = list(kinds(events))
        self._published: dict[int, float] = {}
        self._account = Account.objects.create(name="chaos", created_at=timezone.now())

    def run(self) -> list[Sent]:
        """Publish, kill, and wait for the end."""
        self._make_webhooks()
        over = Stop()
        beat = Thread(target=beats, args=(over,))
        killer = Thread(target=self._kill)
        beat.start()
        try:
            self._publish(0)
            wait_for("a worker that delivers", lambda: self._receivers.came, 60)
            killer.start()
            self._publish_all()
            killer.join()
            while self._advance():
                time.sleep(0.1)
        finally:
            over.set()
            beat.join()
        return self._outcomes()

    def _make_webhooks(self) -> None:
        """One for each event: a receiver that is gone has its webhook disabled, and is told nothing more."""
        urls = {name: cycle(urls) for name, urls in self._receivers.urls.items()}
        now = clock.now()
        for subject_id, kind in enumerate(self._kinds):
            url = next(urls[kind.name])
            services.set_webhook(account_id=self._account.pk, subject_id=subject_id, url=url, now=now)

    def _publish_all(self) -> None:
        start = time.monotonic()
        for subject_id in range(1, len(self._kinds)):
            wait = start + subject_id * self._seconds_between - time.monotonic()
            time.sleep(max(0.0, wait))
            self._publish(subject_id)

    def _publish(self, subject_id: int) -> None:
        now = clock.now()
        with transaction.atomic():
            publish(
                account_id=self._account.pk,
                subject_id=subject_id,
                type="monitor.down",
                key=f"{subject_id}:1",
                payload={"event": "monitor.down", "monitor_id": subject_id, "sequence": 1},
                occurred_at=now,
                now=now,
            )
        self._published[subject_id] = time.monotonic()

    def _kill(self) -> None:
        for _ in range(self._kills):
            time.sleep(random.uniform(*KILL_SECONDS))
            random.choice(self._workers).kill()

    def _advance(self) -> bool:
        """Skip to when all retries are due, if there is nothing else; return whether anything is open."""
        opened = Delivery.objects.filter(status__in=OPEN)
        waits = opened.aggregate(first=Min("next_attempt_at"), last=Max("next_attempt_at"))
        under_way = opened.filter(lease_until__gt=clock.now()).exists()
        if waits["first"] and waits["first"] > clock.now() and not under_way:
            clock.skip_to(waits["last"])
        return waits["first"] is not None

    def _outcomes(self) -> list[Sent]:
        rows = Delivery.objects.order_by("subject_id").values_list(
            "pk", "subject_id", "status", "attempt_count"
        )
        by_subject = {subject_id: (pk, status, attempts) for pk, subject_id, status, attempts in rows}
        disabled = Webhook.objects.exclude(disabled_at=None).count()
        assert disabled == sum(kind.name == "gone" for kind in self._kinds), f"{disabled} disabled"
        return [self._outcome(subject_id, *row) for subject_id, row in by_subject.items()]

    def _outcome(self, subject_id: int, delivery_id: int, status: str, attempts: int) -> Sent:
        came = self._receivers.came[delivery_id]
        return Sent(self._kinds[subject_id], self._published[subject_id], status, attempts, came)


def kinds(events: int) -> Iterator[Kind]:
    """The kind of receiver of each event, evenly mixed."""
    deck = [kind for kind in KINDS for _ in range(kind.share)]
    for number in range(events):
        if number % len(deck) == 0:
            random.shuffle(deck)
        yield deck[number % len(deck)]


def beats(over: Stop) -> None:
    """What beat does: a message a second."""
    while not over.wait(1):
        deliver_soon()
    connection.close()
