"""While more results wait than are stored, no check is claimed; it is later, when they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from redis import Redis

from accounts.redis import client
from monitors.models import MonitorState
from monitors.tasks import MOST_WAITING, results_waiting, tick
from probes import names
from tests import make


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete(names.INGEST_QUEUE)
        yield redis
        redis.delete(names.INGEST_QUEUE, *map(names.scheduled_queue, make.REGIONS))


def due() -> int:
    """A monitor whose check is due; its id."""
    made = make.monitor()
    MonitorState.objects.filter(monitor=made).update(
        scheduled_since=timezone.now() + make.seconds(3600), extra_check_at=timezone.now()
    )
    make.live(*make.REGIONS, now=timezone.now())
    return made.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("waiting", "claimed"), [(0, 1), (MOST_WAITING, 1), (MOST_WAITING + 1, 0)])
def test_no_more_is_claimed_than_can_be_stored(
    redis: Redis, caplog: pytest.LogCaptureFixture, waiting: int, claimed: int
) -> None:
    due()
    if waiting:
        redis.lpush(names.INGEST_QUEUE, *["{}"] * waiting)
    assert tick() == claimed
    assert ("tick.overloaded" in caplog.text) == (not claimed)


@pytest.mark.django_db(transaction=True)
def test_what_was_not_claimed_is_claimed_once_the_results_are_stored(redis: Redis) -> None:
    id_ = due()
    redis.lpush(names.INGEST_QUEUE, *["{}"] * (MOST_WAITING + 1))
    assert tick() == 0
    assert MonitorState.objects.get(monitor_id=id_).extra_check_at
    redis.delete(names.INGEST_QUEUE)
    assert tick() == 1


def test_without_a_broker_nothing_waits(
    settings: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none"
    client.cache_clear()
    assert results_waiting() == 0
    client.cache_clear()
    assert "tick.broker_away" in caplog.text
