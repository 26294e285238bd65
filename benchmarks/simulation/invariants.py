"""What must hold in every world. A breach is a sentence; no sentence, no breach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from benchmarks.simulation.scenario import LATE_OUTAGE, Scenario, Target
from benchmarks.simulation.world import SWEEP, Committed, Watched, World
from incidents.case import IncidentType, OpenIncident, Publish, ResolveIncident
from incidents.flapping import CALM
from incidents.rounds import TRY_SPACING
from incidents.verdict import THREE_OF_ONE, Verdict
from monitors.status import Status
from monitors.timing import SUSPICION_PERCENT

SLACK = 3 * SWEEP
"""Messages to and fro, and the beat of the sweep."""


def breaches(world: World) -> Iterator[str]:
    """All that went wrong in a world that has run."""
    for id_, watched in enumerate(world.watched):
        for sentence in _of(world.scenario, watched):
            yield f"monitor {id_}: {sentence}"


def bound(target: Target) -> float:
    """Within this time an outage is reported, and its end: the interval, what it takes to suspect a probe,
    the timeout of those that confirm it, and the spaced tries of a region that is alone."""
    suspicion = target.timeout * SUSPICION_PERCENT / 100
    tries = (THREE_OF_ONE.tries - 1) * TRY_SPACING.total_seconds()
    return target.interval + suspicion + target.timeout + tries + SLACK


def _of(scenario: Scenario, watched: Watched) -> Iterator[str]:
    yield from _rounds(watched)
    yield from _verdicts(watched)
    yield from _false_alarms(scenario, watched)
    yield from _incidents(watched)
    yield from _events(watched)
    yield from _reported_in_time(scenario, watched)
    yield from _truth_in_the_end(scenario, watched)


def _rounds(watched: Watched) -> Iterator[str]:
    """A check is confirmed once, however often its result comes, and whatever came before it."""
    confirmed: set[datetime] = set()
    for commit in _changed_rounds(watched):
        old, new = commit.before.round, commit.after.round
        if new is None or (old and old.id == new.id):
            continue
        if old is not None:
            yield f"{commit.at:.1f}: round {new.id} opened while {old.id} was open"
        if new.scheduled_at in confirmed:
            yield f"{commit.at:.1f}: a second round on one check"
        confirmed.add(new.scheduled_at)


def _verdicts(watched: Watched) -> Iterator[str]:
    """A verdict rests on votes of its own round, each cast once, enough of them, and none is ever changed."""
    decided: dict[int, str] = {}
    for commit in _changed_rounds(watched):
        round_ = commit.after.round
        if round_ is None or round_.verdict is None or round_.verdict is Verdict.INCONCLUSIVE:
            continue
        votes = [each for each in round_.ballots if each.outcome == round_.verdict]
        if len({(vote.region, vote.attempt) for vote in votes}) < round_.mode.quorum:
            yield f"{commit.at:.1f}: {round_.verdict} by {len(votes)} votes of {round_.mode.name}"
        if decided.setdefault(round_.id or 0, round_.verdict) != round_.verdict:
            yield f"{commit.at:.1f}: round {round_.id} was {decided[round_.id or 0]}"
        strangers = [vote for vote in votes if vote.result and vote.result.round_id not in (None, round_.id)]
        if strangers or sum(1 for vote in votes if vote.result and vote.result.round_id is None) > 1:
            yield f"{commit.at:.1f}: a vote that is not of round {round_.id}"


def _false_alarms(scenario: Scenario, watched: Watched) -> Iterator[str]:
    """With three regions and one of them blind at most, nothing goes down that was not down while asked."""
    if len(scenario.regions) < 3:
        return
    for commit in watched.commits:
        round_ = commit.after.round
        went_down = commit.after.status is Status.DOWN and commit.before.status is not Status.DOWN
        if not went_down or round_ is None or round_.mode.regions == 1:
            continue
        if not _was_down(watched.target, commit):
            yield f"{commit.at:.1f}: down without an outage"


def _was_down(target: Target, commit: Committed) -> bool:
    """Whether the target failed when one of the votes for down was cast."""
    round_ = commit.after.round
    results = [each.result for each in round_.ballots if each.result] if round_ else []
    started = [result.started_at_ms / 1000 for result in results if result.outcome == "down"]
    epoch = commit.after.since.timestamp() - commit.at
    return any(target.is_down(at - epoch) for at in started)


def _incidents(watched: Watched) -> Iterator[str]:
    """Of each type one is open at most, and none ends that was not open."""
    open_: set[IncidentType] = set()
    for commit in watched.commits:
        for effect in commit.effects:
            if isinstance(effect, OpenIncident):
                if effect.type in open_:
                    yield f"{commit.at:.1f}: a second open {effect.type} incident"
                open_.add(effect.type)
            elif isinstance(effect, ResolveIncident):
                if effect.type not in open_:
                    yield f"{commit.at:.1f}: a {effect.type} incident ended that was not open"
                open_.discard(effect.type)
        calm = commit.after.flapping_since is None
        if calm and (IncidentType.DOWN in open_) != (commit.after.status is Status.DOWN):
            yield f"{commit.at:.1f}: {commit.after.status} with {sorted(open_)} open"


def _events(watched: Watched) -> Iterator[str]:
    """Each transition is told once, none twice; down and up take turns but for flapping."""
    keys: set[tuple[int, str]] = set()
    last = "monitor.up"
    for commit in watched.commits:
        news = [each for each in commit.effects if isinstance(each, Publish)]
        for event in news:
            key = (commit.after.sequence, event.occasion)
            if key in keys:
                yield f"{commit.at:.1f}: {event.event} told twice"
            keys.add(key)
        told = [each.event for each in news if each.event != "monitor.regional"]
        if len(told) > 1:
            yield f"{commit.at:.1f}: {told} at once"
        if told and told[0] == last and not commit.before.flapping_since:
            yield f"{commit.at:.1f}: {told[0]} after {last}"
        last = told[0] if told else last


def _reported_in_time(scenario: Scenario, watched: Watched) -> Iterator[str]:
    """An outage in peace that lasts longer than its bound is reported within it."""
    limit = bound(watched.target)
    for outage in watched.target.outages:
        in_peace = outage.start >= scenario.trouble_ends + LATE_OUTAGE[0]
        if not in_peace or outage.end - outage.start < limit or watched.case.flapping_since:
            continue
        downs = (commit.at for commit in watched.commits if commit.after.status is Status.DOWN)
        if not any(outage.start <= at <= outage.start + limit for at in downs):
            yield f"the outage at {outage.start:.1f} was not reported within {limit:.1f} s"


def _truth_in_the_end(scenario: Scenario, watched: Watched) -> Iterator[str]:
    """In peace every outage that lasts is seen within its bound, and so is its end."""
    since = scenario.trouble_ends
    changes = [span.start for span in watched.target.outages] + [span.end for span in watched.target.outages]
    settled = max([since, *(at for at in changes if since <= at < scenario.ends)])
    if scenario.ends - settled < 2 * bound(watched.target):
        return
    truth = Status.DOWN if watched.target.is_down(scenario.ends - 1) else Status.UP
    if watched.case.flapping_since and scenario.ends - settled > CALM.total_seconds() + bound(watched.target):
        yield f"still flapping, though settled since {settled:.1f}"
    if watched.case.status is not truth:
        yield f"{truth} since {settled:.1f}, and believed {watched.case.status}"
    if (
        truth is Status.UP
        and watched.case.failures
        and scenario.ends - settled > _all_turns(scenario, watched)
    ):
        yield f"regional failures left: {[failure.region for failure in watched.case.failures]}"


def _all_turns(scenario: Scenario, watched: Watched) -> float:
    """Time enough for each region to have looked once, and to have been heard."""
    return watched.target.interval * (len(scenario.regions) + 2) + bound(watched.target)


def _changed_rounds(watched: Watched) -> Iterator[Committed]:
    return (commit for commit in watched.commits if commit.after.round != commit.before.round)
