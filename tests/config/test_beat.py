"""Beat sleeps exactly until an entry is due, and is alive while it publishes."""

from __future__ import annotations

from pathlib import Path

import pytest
from celery import Celery
from celery.beat import ScheduleEntry, SchedulingError
from celery.schedules import schedule

from config.beat import Scheduler


def test_beat_sleeps_until_the_entry_is_due() -> None:
    app = Celery(set_as_current=False)
    scheduler = Scheduler(app, lazy=True)
    scheduler.schedule["soon"] = ScheduleEntry("soon", "a.task", schedule=schedule(60), app=app)
    assert 59.9 < scheduler.tick() <= 60.0
    assert scheduler.adjust(1) == 1


@pytest.mark.parametrize(("broker", "alive"), [("memory://", True), ("redis://127.0.0.1:1/", False)])
def test_beat_is_alive_when_it_could_publish(
    broker: str, alive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPQUORUM_ALIVE_FILE", str(tmp_path / "alive"))
    app = Celery(set_as_current=False, broker=broker)
    app.conf.update(task_publish_retry=False, broker_transport_options={"max_retries": 0})
    entry = ScheduleEntry("soon", "a.task", schedule=schedule(60), app=app)
    scheduler = Scheduler(app, lazy=True)
    if alive:
        scheduler.apply_async(entry)
    else:
        with pytest.raises(SchedulingError):
            scheduler.apply_async(entry)
    assert (tmp_path / "alive").exists() == alive
