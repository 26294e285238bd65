"""Daily partitions: ahead of the evidence, and gone behind the retention."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitors.evidence import record_evidence
from monitors.models import Evidence
from monitors.partitions import DAYS_AHEAD, keep_partitions, partitions
from tests.make import NOW, monitor, result

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=400)


def test_evidence_has_a_place_from_yesterday_to_some_days_ahead() -> None:
    keep_partitions(LATER, 7)
    keep_partitions(LATER, 7)
    days = {LATER.date() + timedelta(days=offset) for offset in range(-1, DAYS_AHEAD + 1)}
    assert partitions() == days


def test_a_day_is_dropped_when_all_of_it_is_past_the_retention() -> None:
    keep_partitions(LATER, 7)
    made = monitor()
    record_evidence([result(made, "up", at=LATER)])
    keep_partitions(LATER + timedelta(days=7), 7)
    assert Evidence.objects.count() == 1
    keep_partitions(LATER + timedelta(days=8), 7)
    assert Evidence.objects.count() == 0
    assert LATER.date() not in partitions()
