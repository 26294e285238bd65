"""The table of state and verdict, every pair of it."""

from __future__ import annotations

import pytest

from incidents.transitions import TABLE, Change, apply_verdict
from incidents.verdict import Verdict
from monitors.status import Status

CHANGES = {
    ("unknown", "up"): Change(Status.UP),
    ("unknown", "down"): Change(Status.DOWN, opens=True, event="monitor.down"),
    ("up", "down"): Change(Status.DOWN, opens=True, event="monitor.down"),
    ("down", "up"): Change(Status.UP, resolves=True, event="monitor.up"),
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("verdict", Verdict)
def test_each_pair_changes_what_the_table_says_and_nothing_else(status: Status, verdict: Verdict) -> None:
    assert apply_verdict(status, verdict) == CHANGES.get((status.value, verdict.value))


def test_an_incident_opens_just_when_a_monitor_goes_down_and_every_one_can_end() -> None:
    for change in TABLE.values():
        assert change.opens == (change.to is Status.DOWN)
    assert any(change.resolves for (status, _), change in TABLE.items() if status is Status.DOWN)


def test_nothing_ever_follows_from_no_conclusion() -> None:
    assert not any(verdict is Verdict.INCONCLUSIVE for _, verdict in TABLE)
