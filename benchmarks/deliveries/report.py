"""What became of every event: the table, the goals and the file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from benchmarks.deliveries.receivers import Kind
from benchmarks.environment import REPOSITORY

FILE = REPOSITORY / "build/deliveries.json"
Came = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Sent:
    """One event: to what kind of receiver, when it was committed, how it ended, and what came of it."""

    kind: Kind
    published: float
    status: str
    attempts: int
    came: Came

    @property
    def is_lost(self) -> bool:
        """Nothing of it came: a receiver that it was never offered to."""
        return not self.came

    @property
    def is_finished(self) -> bool:
        """It ended as the rule says."""
        return (self.status, self.attempts) == (self.kind.status, self.kind.attempts)

    @property
    def repeats(self) -> int:
        """Requests that came beyond one for each attempt."""
        return len(self.came) - len({attempt for attempt, _ in self.came})

    @property
    def seconds(self) -> float:
        """From the commit of the event to its first arrival."""
        return min(at for _, at in self.came) - self.published


def summary(sent: Sequence[Sent], kills: int) -> dict[str, float | int]:
    """The figures.

    A duplicate is a request that came again though its receiver had taken it. What came again to those that
    take nothing is counted apart: a killed worker repeats all that hung in its hands.
    """
    healthy = [each for each in sent if each.kind.status == "delivered"]
    return {
        "events": len(sent),
        "lost": sum(each.is_lost for each in sent),
        "duplicates": sum(each.repeats for each in healthy),
        "repeated_to_failing": sum(each.repeats for each in sent) - sum(each.repeats for each in healthy),
        "kills": kills,
        "unfinished": sum(not each.is_finished for each in sent),
        "healthy_p95_s": round(quantiles([each.seconds for each in healthy if each.came], n=20)[-1], 3),
    }


def table(sent: Sequence[Sent]) -> str:
    """A row a kind of receiver."""
    rows = [f"{'receiver':10}{'events':>8}{'lost':>8}{'finished':>10}{'requests':>10}{'repeated':>10}"]
    for kind, events in Counter(each.kind for each in sent).items():
        of_kind = [each for each in sent if each.kind == kind]
        lost, finished = (sum(each.is_lost for each in of_kind), sum(each.is_finished for each in of_kind))
        requests, repeats = sum(len(each.came) for each in of_kind), sum(each.repeats for each in of_kind)
        rows.append(f"{kind.name:10}{events:8}{lost:8}{finished:10}{requests:10}{repeats:10}")
    return "\n".join(rows)


def missed_goals(figures: dict[str, float | int]) -> list[str]:
    """The goals that were not met, as sentences."""
    goals = {
        "0 lost": figures["lost"] == 0,
        "duplicates at most the number of kills": figures["duplicates"] <= figures["kills"],
        "0 unfinished": figures["unfinished"] == 0,
        "healthy p95 under 2 s": figures["healthy_p95_s"] < 2,
    }
    return [goal for goal, met in goals.items() if not met]


def write(figures: dict[str, float | int]) -> None:
    """Keep the figures."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(figures, indent=2) + "\n")
