"""Flapping: when a state changes too often to be news, and when it is settled again. Pure.

It begins with the change that makes more than `MOST_CHANGES` between up and down within an hour (the
native contract, "Check behavior"). While it lasts, changes are counted, and nobody is told. It ends when
the state has not changed for `CALM`: then one event says what the state has settled on. Changes from before
that end count no more, so that flapping does not begin again with the next single change.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from incidents.case import (
    Case,
    Decision,
    Effect,
    IncidentType,
    OpenIncident,
    Publish,
    Resolution,
    ResolveIncident,
)
from incidents.transitions import Change
from monitors.status import Status

WINDOW = timedelta(hours=1)
MOST_CHANGES = 10
CALM = timedelta(minutes=15)


def with_change(case: Case, now: datetime) -> Case:
    """The case with one more change between up and down; older ones than the window are forgotten."""
    if case.status is Status.UNKNOWN:
        return case
    horizon = max(now - WINDOW, case.calm_since or now - WINDOW)
    return replace(case, changes=(*(at for at in case.changes if at > horizon), now))


def announce(case: Case, change: Change, reason: str, now: datetime) -> Decision:
    """What follows a change of `case`, in which it is already counted: news, flapping, or silence."""
    if case.flapping_since is not None:
        return Decision(case)
    if len(case.changes) <= MOST_CHANGES:
        return Decision(case, _news(change, reason))
    why = f"{len(case.changes)} transitions within an hour"
    ended = _ended() if change.resolves else ()
    begun = (OpenIncident(IncidentType.FLAPPING, why), Publish("monitor.flapping", why))
    return Decision(replace(case, flapping_since=now), (*ended, *begun))


def calm_down(case: Case, reason: str, now: datetime) -> Decision:
    """The end of flapping, once the state has been calm for long; `reason` is that of its last change."""
    if case.flapping_since is None or now - case.since < CALM:
        return Decision(case)
    settled = replace(case, flapping_since=None, calm_since=now, changes=())
    stable = ResolveIncident(IncidentType.FLAPPING, Resolution.STABLE)
    if case.status is Status.DOWN:
        return Decision(
            settled, (stable, OpenIncident(IncidentType.DOWN, reason), _settled("monitor.down", reason))
        )
    return Decision(settled, (stable, _settled("monitor.up", "")))


def _settled(event: str, reason: str) -> Publish:
    return Publish(event, reason, occasion="settled")


def _news(change: Change, reason: str) -> tuple[Effect, ...]:
    opened = (OpenIncident(IncidentType.DOWN, reason),) if change.opens else ()
    ended = _ended() if change.resolves else ()
    told = (Publish(change.event, reason if change.opens else ""),) if change.event else ()
    return (*opened, *ended, *told)


def _ended() -> tuple[Effect, ...]:
    return (ResolveIncident(IncidentType.DOWN, Resolution.RECOVERED),)
