"""Beat sleeps exactly until an entry is due."""

from __future__ import annotations

from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import schedule

from config.beat import Scheduler


def test_beat_sleeps_until_the_entry_is_due() -> None:
    app = Celery(set_as_current=False)
    scheduler = Scheduler(app, lazy=True)
    scheduler.schedule["soon"] = ScheduleEntry("soon", "a.task", schedule=schedule(60), app=app)
    assert 59.9 < scheduler.tick() <= 60.0
    assert scheduler.adjust(1) == 1
