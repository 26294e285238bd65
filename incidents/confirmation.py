"""Step 9: one answer, settled in one transaction under the monitor's row lock.

Steps 9 to 13 are one commit: the vote, the verdict, the transition, its incident and its deliveries. What
is to be is decided in `deciding`, which is pure; here it is loaded, saved and nothing else.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from incidents import records
from incidents.deciding import go_on, heed
from incidents.flapping import calm_down
from incidents.models import Round
from incidents.services import latest_transition
from incidents.verdict import Verdict
from monitors.regions import voting_regions
from probes.messages import ProbeResult


@transaction.atomic
def settle(result: ProbeResult, now: datetime) -> None:
    """Let `result` open a round, or count it as a vote of its round. Twice is as good as once."""
    record = records.lock(result.monitor_id, now)
    if record is None:
        return
    open_id = record.case.round.id if record.case.round else None
    if result.round_id is not None and result.round_id != open_id:
        records.keep_late_answer(result)
        return
    records.save(record, heed(record.case, result, voting_regions(now), now), now)


@transaction.atomic
def settle_overdue(monitor_id: int, now: datetime) -> None:
    """Let time go on in the monitor's open round: ask the tries that are due, and end it at its deadline."""
    record = records.lock(monitor_id, now)
    if record is not None:
        records.save(record, go_on(record.case, voting_regions(now), now), now)


@transaction.atomic
def settle_flapping(monitor_id: int, now: datetime) -> None:
    """End the monitor's flapping, if it has been calm for long enough."""
    record = records.lock(monitor_id, now)
    if record is not None:
        last = latest_transition(monitor_id)
        records.save(record, calm_down(record.case, last.reason if last else "", now), now)


def cancel_round(monitor_id: int, now: datetime) -> None:
    """Forget the open round of a monitor that was paused or changed: its votes are of another target."""
    open_ = Round.objects.filter(monitor_id=monitor_id, closed_at=None)
    open_.update(verdict=Verdict.INCONCLUSIVE, closed_at=now)


def open_round_of(monitor_id: int) -> Round | None:
    """The monitor's open round; the database forbids a second."""
    return Round.objects.filter(monitor_id=monitor_id, closed_at=None).first()
