"""When an agent looks: on the interval, sooner while what it says is new, and never twice at once."""

from __future__ import annotations

from probes.agent.timetable import RETRY_SECONDS, Timetable
from tests.probes.agent.conftest import check


def ids(table: Timetable, now: float) -> list[int]:
    return [each.id for each in table.due(now)]


def settled(now: float = 0.0) -> Timetable:
    """One check, of which three looks have said the same, next due at 60."""
    table = Timetable()
    table.adopt([check()], now)
    for at in (0.0, 2.0, 4.0):
        assert ids(table, at) == [4]
        table.note(4, 1, "up", at)
    return table


def test_a_new_check_is_due_at_once_and_never_twice_at_once() -> None:
    table = Timetable()
    table.adopt([check(), check(5)], 100.0)
    assert ids(table, 100.0) == [4, 5]
    assert ids(table, 10_000.0) == []


def test_until_three_agree_it_looks_again_soon_and_says_so() -> None:
    table = Timetable()
    table.adopt([check()], 0.0)
    news = []
    for look in range(4):
        at = look * RETRY_SECONDS
        assert ids(table, at) == ([4] if look < 3 else [])
        news.append(table.note(4, 1, "up", at))
    assert news == [True, True, True, False]
    assert ids(settled(), 59.0) == []
    assert ids(settled(), 64.0) == [4]


def test_a_change_is_news() -> None:
    table = settled()
    at = 64.0
    table.due(at)
    assert table.note(4, 1, "down", at)
    assert ids(table, at + RETRY_SECONDS) == [4]


def test_what_was_slept_through_is_not_made_up_for() -> None:
    table = settled()
    assert ids(table, 1000.0) == [4]
    table.note(4, 1, "up", 1000.0)
    assert ids(table, 1003.0) == []


def test_the_same_check_keeps_its_time_and_an_edited_one_is_due_at_once() -> None:
    table = settled()
    table.adopt([check()], 10.0)
    assert ids(table, 10.0) == []
    table.adopt([check(config_version=2)], 10.0)
    assert ids(table, 10.0) == [4]


def test_what_a_look_at_the_old_configuration_saw_is_no_news() -> None:
    table = Timetable()
    table.adopt([check()], 0.0)
    table.due(0.0)
    table.adopt([check(config_version=2)], 0.0)
    table.due(0.0)
    assert not table.note(4, 1, "down", 1.0)
    assert table.note(4, 2, "down", 1.0)


def test_what_is_taken_away_is_looked_at_no_more() -> None:
    table = settled()
    table.adopt([], 10.0)
    assert ids(table, 1000.0) == []
    assert not table.note(4, 1, "down", 1000.0)


def test_how_long_to_wait() -> None:
    table = Timetable()
    assert table.seconds_to_next(0.0) == 1.0
    table.adopt([check()], 5.0)
    assert table.seconds_to_next(4.5) == 0.5
    assert table.seconds_to_next(6.0) == 0.0
    assert settled().seconds_to_next(10.0) == 1.0
