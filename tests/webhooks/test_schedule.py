from __future__ import annotations

from datetime import timedelta

import pytest

from tests.webhooks.conftest import NOW
from webhooks.schedule import next_attempt_at


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
