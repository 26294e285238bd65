"""What one monitor's events are worth, against what really happened to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DOWN, UP, FLAPPING = "monitor.down", "monitor.up", "monitor.flapping"
MOST_NEWS = 10
"""Changes within an hour that are still told one by one; the next one is flapping."""


@dataclass(frozen=True)
class Cause:
    """Something that is to be told, and since when it was so, in seconds."""

    event: str
    at: float


@dataclass(frozen=True)
class Arrival:
    """An event as the receiver got it, and when, in seconds."""

    event: str
    at: float


@dataclass(frozen=True)
class Score:
    """The events of one monitor, judged."""

    events: int
    false_events: int
    expected: int
    untold: int
    """Of the expected ones, those that never came."""
    delays: tuple[float, ...]
    """Seconds from each fault to the event that told of it."""


def score(causes: Sequence[Cause], arrivals: Iterable[Arrival]) -> Score:
    """Match events with their causes, in order: what has no cause, or comes before it, is false."""
    waiting, delays, events, false_events = list(causes), [], 0, 0
    for arrival in arrivals:
        events += 1
        if not waiting or arrival.event != waiting[0].event or arrival.at < waiting[0].at:
            false_events += 1
            continue
        cause = waiting.pop(0)
        if cause.event == DOWN:
            delays.append(arrival.at - cause.at)
    return Score(events, false_events, len(causes), len(waiting), tuple(delays))


def score_flapping(causes: Sequence[Cause], arrivals: Iterable[Arrival]) -> Score:
    """At most `MOST_NEWS` changes are told, then flapping, once, and nothing while it lasts."""
    told = [arrival.event for arrival in arrivals]
    begun = told.index(FLAPPING) if FLAPPING in told else len(told)
    after = len(told[begun + 1 :])
    return Score(len(told), max(0, begun - MOST_NEWS) + after, 1, int(FLAPPING not in told), ())
