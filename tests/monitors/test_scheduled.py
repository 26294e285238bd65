"""What claims read is what the monitors and their states say, whoever writes those, and in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from incidents.lifecycle import create_monitor, delete_monitor, update_monitor
from monitors.models import Monitor, MonitorState
from monitors.scheduled import Scheduled
from tests.beside import apart, wait_until_blocked
from tests.make import HTTP, NOW, account, heartbeat, live, monitor, seconds

COLUMNS = (
    *("monitor_id", "interval_seconds", "scheduled_since", "config_version", "status"),
    *("type", "url", "timeout_ms", "options"),
)


def kept() -> list[dict[str, Any]]:
    return list(Scheduled.objects.order_by("pk").values(*COLUMNS))


def said() -> list[dict[str, Any]]:
    """The same columns where they come from."""
    states = MonitorState.objects.exclude(scheduled_since=None).select_related("monitor").order_by("pk")
    return [
        {name: getattr(state if hasattr(state, name) else state.monitor, name) for name in COLUMNS}
        for state in states
    ]


Change = Callable[[Monitor], object]
CHANGES: dict[str, Change] = {
    "another URL": lambda made: update_monitor(made, {"url": "http://127.0.0.1:10/"}, NOW),
    "another interval": lambda made: update_monitor(made, {"interval_seconds": 120}, NOW),
    "another timeout": lambda made: update_monitor(made, {"timeout_ms": 3_000}, NOW),
    "a pause": lambda made: update_monitor(made, {"enabled": False}, NOW),
    "a deletion": lambda made: delete_monitor(made, NOW),
    "options that nobody tells the state of": lambda made: Monitor.objects.filter(pk=made.pk).update(
        options={"sealed": "anew"}
    ),
    "a status": lambda made: MonitorState.objects.filter(pk=made.pk).update(status="down"),
    "a longer interval while it is down": lambda made: MonitorState.objects.filter(pk=made.pk).update(
        interval_seconds=300
    ),
    "a change of what claims do not read": lambda made: MonitorState.objects.filter(pk=made.pk).update(
        missed_checks=7
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_row_follows(change: Change) -> None:
    live()
    made, other = (create_monitor(account(name), HTTP, NOW) for name in ("alice", "bob"))
    assert len(kept()) == 2
    change(made)
    assert kept() == said()
    assert kept()[-1]["monitor_id"] == other.pk


@pytest.mark.django_db
def test_who_is_resumed_is_back_as_it_was_changed_meanwhile() -> None:
    live()
    made = create_monitor(account(), HTTP, NOW)
    update_monitor(made, {"enabled": False}, NOW)
    assert kept() == []
    update_monitor(made, {"url": "http://127.0.0.1:10/"}, NOW)
    update_monitor(made, {"enabled": True}, NOW + seconds(1))
    assert [row["url"] for row in kept()] == ["http://127.0.0.1:10/"]
    assert kept() == said()


@pytest.mark.django_db
def test_what_no_region_looks_at_has_no_row() -> None:
    heartbeat()
    monitor(account("bob"), enabled=False)
    assert kept() == []


def set_status(made: Monitor) -> None:
    MonitorState.objects.filter(pk=made.pk).update(status="down")


def resume(made: Monitor) -> None:
    MonitorState.objects.filter(pk=made.pk).update(scheduled_since=NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("is_scheduled", "step"), [(True, set_status), (False, resume)])
def test_of_a_monitor_that_is_changed_beside_its_state_no_old_copy_is_left(
    is_scheduled: bool, step: Change
) -> None:
    """The state's change waits for that of the monitor, which it does not see when it begins."""
    made = monitor()
    if not is_scheduled:
        MonitorState.objects.update(scheduled_since=None)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Monitor.objects.update(url="http://127.0.0.1:10/")
            waiting = pool.submit(apart, lambda: step(made))
            wait_until_blocked()
        waiting.result(10)
    assert [row["url"] for row in kept()] == ["http://127.0.0.1:10/"]
    assert kept() == said()


@pytest.mark.django_db
def test_rows_are_found_by_index_though_the_tables_were_empty_when_that_was_planned() -> None:
    """Else whoever schedules a hundred thousand at once reads all that are there before for each."""
    owner = account()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE monitors_scheduled")
    for number in range(50):
        monitor(owner, url=f"http://127.0.0.1:9/{number}")
    MonitorState.objects.update(scheduled_since=None)
    before = rows_read_one_after_the_other()
    MonitorState.objects.update(scheduled_since=NOW)
    Monitor.objects.update(timeout_ms=1_000)
    assert rows_read_one_after_the_other() == before


def rows_read_one_after_the_other() -> int:
    """Of what claims read, in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'monitors_scheduled'"
        )
        (count,) = cursor.fetchone()
    return int(count)
