"""Alarms go off together, in time, and not once they were cleared."""

from __future__ import annotations

import asyncio
import time

import pytest
import uvloop

from probes.alarms import TOGETHER_SECONDS, Alarms

SLACK_SECONDS = 0.002
"""By which the loop's own clock may be behind."""


def test_each_rings_once_and_not_too_early() -> None:
    rung: dict[str, float] = {}

    async def run() -> dict[str, float]:
        alarms = Alarms[str](lambda item: rung.update({item: time.monotonic()}))
        set_for = {
            name: time.monotonic() + seconds for name, seconds in (("b", 0.05), ("a", 0.03), ("late", -1.0))
        }
        for name, at in set_for.items():
            alarms.set(name, at)
        while len(rung) < 3:
            await asyncio.sleep(0.01)
        return set_for

    set_for = uvloop.run(run())
    assert sorted(rung, key=lambda name: rung[name]) == ["late", "a", "b"]
    assert all(rung[name] >= set_for[name] - SLACK_SECONDS for name in rung)


def test_what_is_near_rings_together() -> None:
    rings: list[str] = []

    async def run() -> list[int]:
        alarms = Alarms[str](rings.append)
        base = (int(time.monotonic() / TOGETHER_SECONDS) + 10) * TOGETHER_SECONDS
        numbers = [alarms.set(str(step), base + step * TOGETHER_SECONDS / 10) for step in range(1, 9)]
        while len(rings) < 8:
            await asyncio.sleep(0.01)
        return numbers

    assert len(set(uvloop.run(run()))) == 1
    assert len(rings) == 8


def test_what_was_cleared_does_not_ring() -> None:
    rings: list[str] = []

    async def run() -> None:
        alarms = Alarms[str](rings.append)
        at = time.monotonic() + 0.03
        number = alarms.set("cleared", at)
        alarms.set("kept", at)
        alarms.clear("cleared", number)
        while not rings:
            await asyncio.sleep(0.01)
        alarms.clear("kept", number)  # too late, which does no harm

    uvloop.run(run())
    assert rings == ["kept"]


def test_one_that_fails_does_not_silence_the_others(caplog: pytest.LogCaptureFixture) -> None:
    rings: list[int] = []

    def ring(number: int) -> None:
        rings.append(number)
        if number % 2:
            raise ZeroDivisionError

    async def run() -> None:
        alarms = Alarms[int](ring)
        at = time.monotonic() + 0.03
        for number in range(6):
            alarms.set(number, at)
        while len(rings) < 6:
            await asyncio.sleep(0.01)

    uvloop.run(run())
    assert sorted(rings) == list(range(6))
    assert caplog.text.count("alarm.failed") == 3
