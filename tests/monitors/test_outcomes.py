"""What a check came to, of all the probes that it had."""

from __future__ import annotations

import pytest

from monitors.evidence import record_evidence
from monitors.models import Evidence
from monitors.outcomes import check_page, last_checks, most_saw
from tests.make import NOW, monitor, result, seconds


def probe(outcome: str, round_id: int = 0, second: int = 0) -> Evidence:
    at = NOW + seconds(second)
    return Evidence(scheduled_at=NOW, started_at=at, outcome=outcome, round_id=round_id, attempt=1)


SCHEDULED_DOWN, SCHEDULED_UP = probe("down"), probe("up")
DOWN, UP, LATER_UP = probe("down", 7, 1), probe("up", 7, 2), probe("up", 7, 3)


@pytest.mark.parametrize(
    ("probes", "stands"),
    [
        ([SCHEDULED_DOWN], SCHEDULED_DOWN),
        ([SCHEDULED_DOWN, UP], SCHEDULED_DOWN),
        ([DOWN, SCHEDULED_UP], SCHEDULED_UP),
        ([SCHEDULED_DOWN, LATER_UP, UP], UP),
        ([SCHEDULED_DOWN, DOWN, UP], SCHEDULED_DOWN),
    ],
)
def test_the_commonest_outcome_stands_for_a_check(probes: list[Evidence], stands: Evidence) -> None:
    assert most_saw(probes) is stands
    assert most_saw(probes[::-1]) is stands


@pytest.mark.django_db
def test_the_last_check_of_each_is_its_newest_that_says_something() -> None:
    quiet = monitor(url="http://127.0.0.1:1/")
    failing, new = (monitor(quiet.account, url=f"http://127.0.0.1:{port}/") for port in (2, 3))
    for at, outcome in enumerate(["down", "up", "missed", "error"]):
        record_evidence([result(quiet, outcome, at=NOW + seconds(at))])
    record_evidence([result(failing, "up", "eu")])
    record_evidence([result(failing, "down", region, round_id=7) for region in ("us", "ap")])
    found = last_checks([quiet.pk, failing.pk, new.pk])
    assert {pk: (each.outcome, each.scheduled_at) for pk, each in found.items()} == {
        quiet.pk: ("up", NOW + seconds(1)),
        failing.pk: ("down", NOW),
    }
    assert last_checks([]) == {}


@pytest.mark.django_db
def test_a_page_counts_checks_and_not_probes() -> None:
    made = monitor()
    for at in range(5):
        record_evidence([result(made, "up", at=NOW + seconds(at))])
    record_evidence([result(made, "up", "us", at=NOW + seconds(3), round_id=7)])
    page, total = check_page(made.pk, 2, 1)
    assert ([each.scheduled_at for each in page], total) == ([NOW + seconds(3), NOW + seconds(2)], 5)
    assert check_page(made.pk, 2, 5) == ([], 5)
