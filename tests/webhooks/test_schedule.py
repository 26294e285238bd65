from __future__ import annotations

from datetime import timedelta

import pytest

from tests.webhooks.conftest import NOW
from webhooks.schedule import next_attempt_at, wait_asked


@pytest.mark.parametrize(
    ("failures", "delay"),
    [
        (1, timedelta(minutes=1)),
        (2, timedelta(minutes=5)),
        (3, timedelta(minutes=30)),
        (4, timedelta(hours=2)),
    ],
)
def test_each_failure_waits_as_the_contract_says(failures: int, delay: timedelta) -> None:
    assert next_attempt_at(failures, NOW) == NOW + delay


def test_the_fifth_failure_is_the_last() -> None:
    assert next_attempt_at(5, NOW) is None


@pytest.mark.parametrize(
    ("asked_seconds", "waited_seconds"), [(-5, 60), (30, 60), (60, 60), (90, 90), (120, 120), (86_400, 120)]
)
def test_a_receiver_may_ask_for_up_to_twice_the_delay(asked_seconds: int, waited_seconds: int) -> None:
    asked = timedelta(seconds=asked_seconds)

    assert next_attempt_at(1, NOW, asked) == NOW + timedelta(seconds=waited_seconds)


def test_asking_gives_no_sixth_attempt() -> None:
    assert next_attempt_at(5, NOW, timedelta(minutes=1)) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("90", 90),
        ("0", 0),
        ("Sat, 21 Nov 2026 09:15:32 GMT", 90),
        ("Sat, 21 Nov 2026 09:14:02 GMT", 0),
        ("Sat, 21 Nov 2026 09:13:02 GMT", -60),
    ],
)
def test_a_wait_is_asked_for_in_seconds_or_by_date(header: str, seconds: int) -> None:
    assert wait_asked(header, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "header", ["", "soon", "-5", "1.5", "٣", "9" * 20, "9" * 5000, "Sat, 21 Nov 2026 09:15:32", "Sat, 99 Nov"]
)
def test_what_is_neither_asks_for_nothing(header: str) -> None:
    assert wait_asked(header, NOW) == timedelta(0)
