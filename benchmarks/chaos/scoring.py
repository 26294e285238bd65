"""The row of a fault: what was done to the targets, against what was told of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.accuracy.scoring import Arrival, Cause

MOST_RECOVERY_SECONDS = 15.0


@dataclass(frozen=True)
class Told:
    """The events of one monitor, judged."""

    lost: int
    duplicated: int
    false: int


@dataclass(frozen=True)
class Row:
    """One line of the table; None throughout: it could not be done here."""

    fault: str
    lost: int | None = None
    """Changes of a target that nobody was told of."""
    duplicated: int | None = None
    """Changes that were told of twice, under two delivery ids."""
    false: int | None = None
    """Events of what did not happen."""
    deliveries_lost: int | None = None
    """Deliveries that were due and never came, or never ended."""
    recovery_s: float | None = None
    """From healing until every region's checks are stored again."""
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether this is as it should be; what could not be done is not judged."""
        if self.note:
            return True
        failures = (self.lost, self.duplicated, self.false, self.deliveries_lost)
        return not any(failures) and (self.recovery_s or 0) <= MOST_RECOVERY_SECONDS

    @property
    def as_json(self) -> dict[str, Any]:
        """What `build/chaos.json` has of it."""
        return asdict(self)


def judge(causes: Sequence[Cause], arrivals: Iterable[Arrival]) -> Told:
    """Match events with their causes, in order. One more of what was told last is a duplicate."""
    waiting, last = list(causes), ""
    duplicated = false = 0
    for arrival in arrivals:
        if waiting and arrival.event == waiting[0].event and arrival.at >= waiting[0].at:
            last = waiting.pop(0).event
        elif arrival.event == last:
            duplicated += 1
        else:
            false += 1
    return Told(len(waiting), duplicated, false)


def total(judged: Iterable[Told]) -> Told:
    """All monitors together."""
    listed = list(judged)
    return Told(
        sum(each.lost for each in listed),
        sum(each.duplicated for each in listed),
        sum(each.false for each in listed),
    )
