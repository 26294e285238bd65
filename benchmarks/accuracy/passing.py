"""Faults of a target that are no outage: one answer, one region, or never the same for long."""

from __future__ import annotations

import asyncio

from benchmarks.accuracy.behaviours import WELL, answer, blip, only_for
from benchmarks.accuracy.lab import Lab, Watched
from benchmarks.accuracy.lasting import becomes

BLIPS = 3
ILL_REGION = "eu"
TURNS = 16
"""Changes of a flapping target: more than are told one by one, and some that are to be held back."""
PATIENCE_INTERVALS = 3


async def blips(lab: Lab) -> list[Watched]:
    """One answer fails, a few times over; the confirmation finds the target well."""
    group = await lab.watch()
    for _ in range(BLIPS):
        for watched in group:
            watched.target.behaviour = blip
        await asyncio.sleep(PATIENCE_INTERVALS * lab.interval)
    return group


async def one_region(lab: Lab) -> list[Watched]:
    """The target fails for one of three regions, until each region has looked twice."""
    group = await lab.watch()
    for watched in group:
        watched.target.behaviour = only_for(ILL_REGION, answer(503))
    await asyncio.sleep(2 * 3 * lab.interval)
    return group


async def flaps(lab: Lab) -> list[Watched]:
    """Down and up in turn, each as soon as the one before was believed."""
    group = await lab.watch()
    await asyncio.gather(*(_flap(lab, watched) for watched in group))
    return group


async def _flap(lab: Lab, watched: Watched) -> None:
    for turn in range(TURNS):
        status = "up" if turn % 2 else "down"
        await becomes(WELL if turn % 2 else answer(503))(watched.target)
        await lab.sees(watched, status, PATIENCE_INTERVALS * lab.interval)
