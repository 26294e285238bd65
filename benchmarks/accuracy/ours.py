"""Faults of the system itself: regions cut off, processes killed. The targets' outages stay as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

from benchmarks.accuracy.behaviours import WELL, answer, slow
from benchmarks.accuracy.lab import Lab, Watched
from benchmarks.accuracy.lasting import Run, becomes
from benchmarks.accuracy.scoring import DOWN, UP
from benchmarks.environment import Environment

REGIONS = ("eu", "us", "ap")
CUT_SECONDS = 20
"""Longer than the 15 s of silence after which a region is not asked any more."""
SLOW_SECONDS = 0.5
"""Answers take this long, so that probes are under way when their regions are cut off."""


@contextmanager
def cut_off(environment: Environment, regions: Sequence[str]) -> Iterator[None]:
    """Stop the workers of `regions` in the middle of what they do, and let them go on after it."""
    workers = [environment.find("probes.worker", f"--region {region}") for region in regions]
    _each(workers, "suspend")
    try:
        yield
    finally:
        _each(workers, "resume")


async def one_region_cut_off(lab: Lab) -> list[Watched]:
    """One region is silent: a real outage is told, and nothing of monitors that are well."""
    well, ill = await lab.watch(slow(SLOW_SECONDS)), await lab.watch()
    with cut_off(lab.environment, REGIONS[:1]):
        await lab.outage(ill, becomes(answer(503)), becomes(WELL))
        await asyncio.sleep(CUT_SECONDS)
    return [*well, *ill]


async def all_regions_cut_off(lab: Lab) -> list[Watched]:
    """Nobody looks, so nothing is known and nothing is told; nor when all of them look again."""
    group = await lab.watch(slow(SLOW_SECONDS))
    with cut_off(lab.environment, REGIONS):
        await asyncio.sleep(CUT_SECONDS)
    return group


def killed(*words: str) -> Run:
    """The process with `words` in its command line is killed as an outage begins, and again as it ends."""

    async def run(lab: Lab) -> list[Watched]:
        well, ill = await lab.watch(), await lab.watch()
        for behaviour, event in ((answer(503), DOWN), (WELL, UP)):
            await lab.change(ill, becomes(behaviour), event)
            await asyncio.to_thread(lab.environment.kill, *words)
            await lab.told(ill)
        return [*well, *ill]

    return run


def _each(workers: Sequence[psutil.Process], what: str) -> None:
    for worker in workers:
        getattr(worker, what)()
