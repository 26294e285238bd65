"""When the next ping is expected: by interval, by cron in both changes of the clock, and after a start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.rhythm import BadRhythm, Rhythm, check_cron, check_zone
from tests.make import NOW, seconds


def rhythm(cron: str = "", zone: str = "UTC", grace: int = 60, interval: int = 300) -> Rhythm:
    return Rhythm(interval=seconds(interval), grace=seconds(grace), cron=cron, zone=zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "last", "following"),
    [
        ("", "UTC", "2026-11-21T12:00:00", "2026-11-21T12:05:00"),
        ("*/5 * * * *", "UTC", "2026-11-21T12:00:00.5", "2026-11-21T12:05:00"),
        ("*/5 * * * *", "UTC", "2026-11-21T11:59:59.9", "2026-11-21T12:00:00"),
        ("0 9 * * 1-5", "Asia/Tokyo", "2026-11-20T00:00:01", "2026-11-23T00:00:00"),
        # Spring: 02:30 is not there that night, and the job runs when the clock has jumped.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T01:30:00", "2026-03-29T01:00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00", "2026-03-30T00:30:00"),
        ("30 2 * * *", "America/New_York", "2026-03-07T07:30:00", "2026-03-08T07:00:00"),
        ("30 2 * * *", "America/New_York", "2026-03-08T07:00:00", "2026-03-09T06:30:00"),
        ("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00", "2026-03-29T01:00:00"),
        # Autumn: the hour is there twice, and the job runs in the first of them only.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T00:30:00", "2026-10-25T00:30:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00", "2026-10-26T01:30:00"),
        ("30 1 * * *", "America/New_York", "2026-10-31T05:30:00", "2026-11-01T05:30:00"),
        ("30 1 * * *", "America/New_York", "2026-11-01T05:30:00", "2026-11-02T06:30:00"),
        ("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00", "2026-10-25T01:00:00"),
        ("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:00:00", "2026-10-25T01:30:00"),
        # A ping in the second of the two hours is not answered with an instant of the first.
        ("50 1 * * *", "America/New_York", "2026-11-01T06:45:00", "2026-11-02T06:50:00"),
    ],
)
def test_the_next_ping_is_expected(cron: str, zone: str, last: str, following: str) -> None:
    assert rhythm(cron, zone).next_after(utc(last)) == utc(following)


@given(
    instant=st.integers(0, 700 * 86_400).map(lambda offset: NOW + seconds(offset)),
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
    ),
    cron=st.sampled_from(["", "*/15 * * * *", "30 2 * * *", "50 1 * * *", "15 1,3 * * *", "0 */6 * * 0"]),
)
def test_it_is_later_and_what_comes_before_it_changes_nothing(
    instant: datetime, zone: str, cron: str
) -> None:
    of = rhythm(cron, zone)
    following = of.next_after(instant)
    assert following > instant
    if cron and instant + seconds(1) < following:
        assert of.next_after(instant + seconds(1)) == following


@pytest.mark.parametrize(
    ("last", "started", "grace", "deadline"),
    [
        (None, None, 60, None),
        (0, None, 60, 360),
        (0, None, 0, 300),
        (None, 10, 60, 70),
        (None, 10, 0, 70),
        (0, 290, 60, 350),
        (0, 310, 600, 900),
    ],
)
def test_the_deadline_is_that_of_the_rhythm_or_of_the_run(
    last: int | None, started: int | None, grace: int, deadline: int | None
) -> None:
    def at(offset: int | None) -> datetime | None:
        return None if offset is None else NOW + seconds(offset)

    assert rhythm(grace=grace).deadline(at(last), at(started)) == at(deadline)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("@daily", "cron must have five fields"),
        ("* * * * * *", "cron must have five fields"),
        ("", "cron must have five fields"),
        ("60 * * * *", "cron is invalid: Bad minute"),
        ("*/0 * * * *", "cron is invalid: Bad minute"),
        ("a b c d e", "cron is invalid: Bad"),
        ("٣ * * * *", "cron is invalid: Bad minute"),
        ("0 0 30 2 *", "cron is invalid: Bad day-of-month"),
        ("0 0 31 4,6 *", "cron is invalid: Bad day-of-month"),
    ],
)
def test_what_is_no_expression_or_never_occurs_is_refused(expression: str, message: str) -> None:
    with pytest.raises(BadRhythm, match=message):
        check_cron(expression)


@pytest.mark.parametrize(
    "expression", ["0 0 29 2 *", "0 0 * * 5L", "0 0 LW * *", "5 4 * * SUN", "0 0 * 2 1#5"]
)
def test_what_occurs_if_rarely_is_taken(expression: str) -> None:
    check_cron(expression)
    assert rhythm(expression).next_after(NOW) - NOW > timedelta(0)


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Ushuaia"])
def test_a_time_zone_is_taken(name: str) -> None:
    check_zone(name)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "Europe", "../etc/passwd", "/etc/localtime", "europe/berlin", "\0"]
)
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(BadRhythm, match="timezone must be"):
        check_zone(name)
