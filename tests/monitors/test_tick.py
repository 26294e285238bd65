"""The tick: it goes on until all that is due is claimed, whatever the limit and however many intervals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import timezone
from redis import Redis

from monitors import tasks
from monitors.models import Lease, MonitorState, Pulse
from monitors.scheduling import count_due
from probes import names
from tests import make

DAY = 86_400


@pytest.fixture(autouse=True)
def _no_message_is_left() -> Iterator[None]:
    yield
    with Redis.from_url(settings.REDIS_URL) as client:
        client.delete(*map(names.scheduled_queue, make.REGIONS))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [1, 2, 4, 100])
def test_it_goes_on_until_nothing_is_due(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(tasks, "CLAIM_LIMIT", limit)
    now = timezone.now()
    make.live(*make.REGIONS, now=now)
    for number, interval in enumerate((DAY, DAY, DAY, DAY, 2 * DAY, 2 * DAY, 3 * DAY)):
        make.monitor(make.account(f"{number}"), interval_seconds=interval)
    MonitorState.objects.update(scheduled_since=now - make.seconds(4 * DAY))
    assert tasks.tick() == 7
    assert count_due(now, 10) == 0
    assert sum(len(lease.monitor_ids) for lease in Lease.objects.all()) == 7


@pytest.mark.django_db(transaction=True)
def test_checks_off_the_grid_go_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CLAIM_LIMIT", 2)
    now = timezone.now()
    make.live(*make.REGIONS, now=now)
    for number in range(5):
        make.monitor(make.account(f"{number}"), interval_seconds=DAY)
    MonitorState.objects.update(scheduled_since=now + make.seconds(60), extra_check_at=now)
    assert tasks.tick() == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("ahead_seconds", "claimed"), [(-11, 0), (-9, 1), (9, 1), (11, 0), (3_600, 0)])
def test_a_scheduler_whose_clock_is_not_that_of_the_others_stands_aside(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ahead_seconds: float, claimed: int
) -> None:
    now = timezone.now()
    make.live(*make.REGIONS, now=now)
    make.monitor(interval_seconds=DAY)
    MonitorState.objects.update(extra_check_at=now - make.seconds(60), scheduled_since=now + make.seconds(60))
    Pulse.objects.all().delete()
    monkeypatch.setattr(timezone, "now", lambda: now + make.seconds(ahead_seconds))
    assert tasks.tick() == claimed
    assert ("tick.wrong_clock" in caplog.text) == (not claimed)
    assert Pulse.objects.count() == claimed
