"""Step 11: the table of state and verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from incidents.verdict import Verdict
from monitors.status import Status


@dataclass(frozen=True)
class Change:
    """What a verdict changes: the new state, whether an incident opens or ends, and who is told."""

    to: Status
    opens: bool = False
    resolves: bool = False
    event: str = ""
    """The type of the event to publish; empty: nobody is told."""


TABLE = {
    # First knowledge of a healthy monitor is no news.
    (Status.UNKNOWN, Verdict.UP): Change(Status.UP),
    (Status.UNKNOWN, Verdict.DOWN): Change(Status.DOWN, opens=True, event="monitor.down"),
    (Status.UP, Verdict.DOWN): Change(Status.DOWN, opens=True, event="monitor.down"),
    (Status.DOWN, Verdict.UP): Change(Status.UP, resolves=True, event="monitor.up"),
}


def apply_verdict(status: Status, verdict: Verdict) -> Change | None:
    """What `verdict` changes in a monitor of this status; None: nothing."""
    return TABLE.get((status, verdict))
