"""Cases without a database: for the pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from incidents.case import Case, Decision, Round
from incidents.deciding import heed
from monitors.status import Status
from probes.instants import unix_ms
from probes.messages import ProbeResult
from tests.make import NOW, REGIONS, seconds

ROUND_ID = 7


def case(status: str = "up", **fields: Any) -> Case:
    """A monitor checked every minute, in this state for an hour."""
    values: dict[str, Any] = {
        "timeout": seconds(10),
        "configured_interval": seconds(60),
        "interval": seconds(60),
        "status": Status(status),
        "since": NOW - seconds(3600),
        "scheduled_since": NOW - seconds(3600),
    }
    return Case(**(values | fields))


def answer(outcome: str, region: str = "eu", at: datetime = NOW, **fields: Any) -> ProbeResult:
    """What `region` saw at `at`: a scheduled look, or with `round_id` an answer."""
    values: dict[str, Any] = {
        "monitor_id": 1,
        "config_version": 1,
        "scheduled_at_ms": unix_ms(at),
        "region": region,
        "outcome": outcome,
        "started_at_ms": unix_ms(at),
        "total_ms": 1.0,
        "error_class": "refused" if outcome == "down" else "",
    }
    return ProbeResult(**(values | fields))


def opened(decision: Decision) -> tuple[Case, Round]:
    """The case with its open round, which is given the id that the database would give."""
    assert decision.case.round
    round_ = replace(decision.case.round, id=ROUND_ID)
    return replace(decision.case, round=round_), round_


def confirm(
    start: Case, outcome: str, at: datetime = NOW, others: tuple[str, ...] = ("down", "down")
) -> Decision:
    """A dissent from eu at `at`, with what us and ap answer to it, in turn, until the round is closed."""
    current, _ = opened(heed(start, answer(outcome, at=at), REGIONS, at))
    decision = Decision(current)
    for region, said in zip(("us", "ap"), others, strict=True):
        if decision.case.round and decision.case.round.closed_at is None:
            decision = heed(decision.case, answer(said, region, at, round_id=ROUND_ID), REGIONS, at)
    assert decision.case.round
    assert decision.case.round.closed_at
    return Decision(replace(decision.case, round=None), decision.effects)
