"""Regional failures: what fewer regions see than the quorum is not thrown away. Pure.

A region that fails alone stays in the state until the region sees the monitor up, or until the monitor
is down for all. The schedule's turns keep testing it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from incidents.case import Case, Decision, Publish, RegionalFailure, Round
from monitors.status import Status
from probes.instants import from_unix_ms, unix_ms
from probes.messages import ProbeResult

EVENT = "monitor.regional"


def note(case: Case, closed: Round, now: datetime) -> Decision:
    """The case with its closed round, and the failures as that leaves them; news of what began or ended."""
    if case.status is not Status.UP:
        return Decision(replace(case, round=closed, failures=()))
    failures = {failure.region: failure for failure in case.failures}
    for ballot in closed.ballots:
        if ballot.result is not None and ballot.outcome == "down":
            failures[ballot.region] = _seen(failures.get(ballot.region), ballot.result, now)
        elif ballot.outcome == "up":
            failures.pop(ballot.region, None)
    left = tuple(failures[region] for region in sorted(failures))
    closed = replace(closed, regional=tuple(sorted(failures)))
    return _told(case, replace(case, round=closed, failures=left))


def note_late(case: Case, result: ProbeResult, now: datetime) -> Decision:
    """The case with the failure of a region whose answer came when the others had already decided."""
    if case.status is not Status.UP or result.outcome != "down":
        return Decision(case)
    failures = {failure.region: failure for failure in case.failures}
    failures[result.region] = _seen(failures.get(result.region), result, now)
    left = tuple(failures[region] for region in sorted(failures))
    return _told(case, replace(case, failures=left))


def recover(case: Case, result: ProbeResult) -> Decision:
    """A scheduled look that agrees with the state: if it is up, its region does not fail any more."""
    at = from_unix_ms(result.started_at_ms)
    left = tuple(
        failure for failure in case.failures if failure.region != result.region or failure.seen_at >= at
    )
    if case.status is not Status.UP or left == case.failures:
        return Decision(case)
    return _told(case, replace(case, failures=left))


def _seen(known: RegionalFailure | None, result: ProbeResult, now: datetime) -> RegionalFailure:
    at = from_unix_ms(result.started_at_ms)
    since = known.since if known else now
    return RegionalFailure(region=result.region, since=since, seen_at=at, error_class=result.error_class)


def _told(before: Case, after: Case) -> Decision:
    """News of the regions that began to fail, with the class; and of those that ended, without."""
    old = {failure.region: failure for failure in before.failures}
    new = {failure.region: failure for failure in after.failures}
    began = [_news(new[region], "began", new[region].error_class) for region in new if region not in old]
    ended = [_news(old[region], "ended", "") for region in old if region not in new]
    return Decision(after, (*began, *ended))


def _news(failure: RegionalFailure, what: str, reason: str) -> Publish:
    occasion = f"{failure.region}:{unix_ms(failure.since)}:{what}"
    return Publish(EVENT, reason, failure.region, occasion)
