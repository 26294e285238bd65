"""Faults of a target that last until they are mended: down is to be told, then up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from benchmarks.accuracy.behaviours import WELL
from benchmarks.accuracy.lab import Lab, Watched
from benchmarks.accuracy.targets import Behaviour, Target

Run = Callable[[Lab], Awaitable[list[Watched]]]


def becomes(behaviour: Behaviour) -> Callable[[Target], Awaitable[None]]:
    """The change of a target that makes it behave so."""

    async def change(target: Target) -> None:
        target.behaviour = behaviour

    return change


def behaves(ill: Behaviour, well: Behaviour = WELL) -> Run:
    """The target answers, but not as it should."""

    async def run(lab: Lab) -> list[Watched]:
        group = await lab.watch(well)
        await lab.outage(group, becomes(ill), becomes(well))
        return group

    return run


def refuses(type_: str = "http") -> Run:
    """The port is closed."""

    async def run(lab: Lab) -> list[Watched]:
        group = await lab.watch(type_=type_)
        await lab.outage(group, Target.close, Target.open)
        return group

    return run


async def expires(lab: Lab) -> list[Watched]:
    """The server presents a certificate that has expired, then a renewed one."""

    async def expire(target: Target) -> None:
        target.present(lab.authority.expired)

    async def renew(target: Target) -> None:
        target.present(lab.authority.valid)

    group = await lab.watch(is_tls=True)
    await lab.outage(group, expire, renew)
    return group
