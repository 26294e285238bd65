"""When an agent looks at what: each check on its interval, and sooner while what it says is new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from probes.agent.messages import Check

SURE_AFTER = 3
"""So many looks in a row that agree: with fewer, a server that is alone is not believed."""
RETRY_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 1.0


@dataclass
class Entry:
    """One check, when it is due, and what was last seen of it."""

    check: Check
    due_at: float
    is_running: bool = False
    outcome: str = ""
    streak: int = 0


class Timetable:
    """The checks of an agent. `now` is in seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}

    def adopt(self, checks: Iterable[Check], now: float) -> None:
        """Look at just these from now on; what is new or was edited is due at once."""
        known = self._entries
        self._entries = {}
        for check in checks:
            entry = known.get(check.id)
            self._entries[check.id] = entry if entry and entry.check == check else Entry(check, now)

    def due(self, now: float) -> list[Check]:
        """The checks whose time has come, each of which is then running; a check never runs twice at once."""
        due = [entry for entry in self._entries.values() if entry.due_at <= now and not entry.is_running]
        for entry in due:
            behind = (now - entry.due_at) // entry.check.interval_seconds
            entry.due_at += (behind + 1) * entry.check.interval_seconds
            entry.is_running = True
        return [entry.check for entry in due]

    def note(self, check_id: int, config_version: int, outcome: str, now: float) -> bool:
        """What a look saw. Whether that is news, which is not settled yet: then the next look is soon."""
        entry = self._entries.get(check_id)
        if entry is None or entry.check.config_version != config_version:
            return False
        entry.is_running = False
        entry.streak = entry.streak + 1 if outcome == entry.outcome else 1
        entry.outcome = outcome
        if entry.streak < SURE_AFTER:
            entry.due_at = min(entry.due_at, now + RETRY_SECONDS)
        return entry.streak <= SURE_AFTER

    def seconds_to_next(self, now: float) -> float:
        """How long nothing is due, `LONGEST_WAIT_SECONDS` at most."""
        waiting = (entry.due_at - now for entry in self._entries.values() if not entry.is_running)
        return min(LONGEST_WAIT_SECONDS, max(0.0, min(waiting, default=LONGEST_WAIT_SECONDS)))
