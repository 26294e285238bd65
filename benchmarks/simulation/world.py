"""The world at work: a clock, a queue of what happens next, and the real rules in between."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from msgspec import structs

from benchmarks.simulation.scenario import Scenario, Target, Vantage
from incidents.case import Case, Decision, Effect, Round
from incidents.deciding import begin, go_on, heed
from incidents.flapping import calm_down
from incidents.rounds import new_questions
from monitors.slots import latest_slot_ms, next_slot_ms, turn
from monitors.status import Status
from monitors.timing import LATEST_START, SUSPICION_PERCENT, TRANSPORT
from probes.instants import unix_ms
from probes.messages import Outcome, ProbeResult

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SILENCE = 15.0
"""So long a dead region is still thought alive."""
SWEEP = 1.0


@dataclass(frozen=True, slots=True)
class Committed:
    """One commit: what was decided of a monitor, and when."""

    at: float
    before: Case
    after: Case
    effects: tuple[Effect, ...]


@dataclass(slots=True)
class Watched:
    """A monitor's row, and the history of its commits."""

    target: Target
    case: Case
    commits: list[Committed] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a region is asked; a message on its way."""

    monitor_id: int
    region: str
    slot_ms: int
    start_by: float
    config_version: int
    round_id: int | None
    attempt: int
    may_be_suspected: bool


class World:
    """Runs a scenario. `log` is called with a line for each commit."""

    def __init__(self, scenario: Scenario, log: Callable[[str], None] | None = None) -> None:
        self.scenario = scenario
        self.random = Random(f"world {scenario.seed}")
        self.log = log
        self.now = 0.0
        self.rounds = 0
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        self.pushed = 0
        self.watched = [Watched(target, _case(target)) for target in scenario.targets]

    def run(self) -> None:
        """Until the end of the scenario."""
        for id_, watched in enumerate(self.watched):
            begun = begin(watched.case, self.alive(), self.instant)
            self.commit(id_, Decision(begun))
            self.later(self._first_slot(id_), partial(self.tick, id_))
            self.later(SWEEP, partial(self.sweep, id_))
        while self.queue and self.queue[0][0] < self.scenario.ends:
            self.now, _, step = heapq.heappop(self.queue)
            step()

    @property
    def instant(self) -> datetime:
        return EPOCH + timedelta(seconds=self.now)

    @property
    def in_trouble(self) -> bool:
        return self.now < self.scenario.trouble_ends

    def later(self, at: float, step: Callable[[], None]) -> None:
        self.pushed += 1
        heapq.heappush(self.queue, (at, self.pushed, step))

    def alive(self) -> list[str]:
        """The regions that the core thinks alive and well."""
        return [region.name for region in self.scenario.regions if not self._given_up(region)]

    def tick(self, id_: int) -> None:
        """The schedule: one look per slot, from the region whose turn it is."""
        interval_ms = int(self.watched[id_].case.interval.total_seconds() * 1000)
        now_ms = unix_ms(self.instant)
        slot_ms = latest_slot_ms(id_, interval_ms, now_ms)
        if alive := self.alive():
            self.look(id_, slot_ms, alive[turn(id_, interval_ms, slot_ms, len(alive))])
        next_ms = next_slot_ms(id_, interval_ms, now_ms)
        self.later(self.now + (next_ms - now_ms) / 1000, partial(self.tick, id_))

    def look(self, id_: int, slot_ms: int, region: str, *, is_second: bool = False) -> None:
        """A scheduled look, under a lease: unanswered, it is made again once, elsewhere."""
        watched = self.watched[id_]
        patience = min(watched.target.interval, LATEST_START.total_seconds())
        self.ask(id_, region, slot_ms, patience)
        if not is_second:
            ends = self.now + patience + watched.target.timeout + TRANSPORT.total_seconds()
            self.later(ends, partial(self.look_again, id_, slot_ms, region))

    def look_again(self, id_: int, slot_ms: int, lost_in: str) -> None:
        answered = self.watched[id_].case.last_scheduled_at
        others = [region for region in self.alive() if region != lost_in]
        if others and (answered is None or unix_ms(answered) < slot_ms):
            self.look(id_, slot_ms, self.random.choice(others), is_second=True)

    def ask(
        self,
        id_: int,
        region: str,
        slot_ms: int,
        patience: float,
        round_id: int | None = None,
        attempt: int = 1,
    ) -> None:
        """Send a question to a region, over a broker that may lose or delay it."""
        if self._is_lost():
            return
        question = Question(
            monitor_id=id_,
            region=region,
            slot_ms=slot_ms,
            start_by=self.now + patience,
            config_version=self.watched[id_].case.config_version,
            round_id=round_id,
            attempt=attempt,
            may_be_suspected=round_id is None and self.watched[id_].case.status is not Status.DOWN,
        )
        self.later(self.now + self._delay(), partial(self.probe, question))

    def probe(self, question: Question) -> None:
        """A region looks at a target, and sends home what it saw."""
        region, target = self._region(question.region), self.watched[question.monitor_id].target
        if any(span.holds(self.now) for span in region.dead):
            return
        outcome = self._outcome(region, target, question.start_by)
        result = ProbeResult(
            monitor_id=question.monitor_id,
            config_version=question.config_version,
            scheduled_at_ms=question.slot_ms,
            round_id=question.round_id,
            attempt=question.attempt,
            region=question.region,
            outcome=outcome,
            started_at_ms=unix_ms(self.instant),
            total_ms=0.0,
            error_class="refused" if outcome == "down" else "",
        )
        took = target.timeout if outcome == "down" and target.hangs else 0.05
        suspected = target.timeout * SUSPICION_PERCENT / 100
        if question.may_be_suspected and took > suspected:
            self.report(region, structs.replace(result, outcome="slow"), suspected)
        self.report(region, result, took)

    def report(self, region: Vantage, result: ProbeResult, after: float) -> None:
        """A result on its way home: once, twice or never."""
        for _ in range(2 if self.random.random() < region.doubles else 1):
            if not self._is_lost():
                arrives = self.now + after + self._delay()
                self.later(arrives, partial(self.settle, result.monitor_id, result))

    def settle(self, id_: int, result: ProbeResult) -> None:
        self.commit(id_, heed(self.watched[id_].case, result, self.alive(), self.instant))

    def sweep(self, id_: int) -> None:
        """What time brings: tries that are due, deadlines, the end of flapping."""
        watched = self.watched[id_]
        if watched.case.round:
            self.commit(id_, go_on(watched.case, self.alive(), self.instant))
        if watched.case.flapping_since:
            self.commit(id_, calm_down(watched.case, "refused", self.instant))
        self.later(self.now + SWEEP, partial(self.sweep, id_))

    def commit(self, id_: int, decision: Decision) -> None:
        """Save a decision whole, or not at all; its questions go out if the core still lives by then."""
        watched = self.watched[id_]
        if decision.case == watched.case or self._crashes():
            return
        before, after = watched.case, self._with_id(decision.case)
        open_ = after.round if after.round and after.round.closed_at is None else None
        watched.case = replace(after, round=open_)
        watched.commits.append(Committed(self.now, before, after, decision.effects))
        if self.log:
            self.log(_line(id_, watched.commits[-1], self.now))
        if open_ and not self._crashes():
            self._send(id_, before.round, open_)

    def _send(self, id_: int, before: Round | None, round_: Round) -> None:
        patience = (round_.deadline_at - self.instant).total_seconds()
        for ballot in new_questions(before, round_):
            slot_ms = unix_ms(round_.scheduled_at)
            self.ask(id_, ballot.region, slot_ms, patience, round_.id, ballot.attempt)

    def _with_id(self, case: Case) -> Case:
        if case.round is None or case.round.id is not None:
            return case
        self.rounds += 1
        return replace(case, round=replace(case.round, id=self.rounds))

    def _outcome(self, region: Vantage, target: Target, start_by: float) -> Outcome:
        if self.now > start_by:
            return "missed"
        if any(span.holds(self.now) for span in region.sick):
            return "error"
        blind = any(span.holds(self.now) for span in region.blind)
        return "down" if blind or target.is_down(self.now) else "up"

    def _given_up(self, region: Vantage) -> bool:
        silent = any(span.start + SILENCE <= self.now < span.end for span in region.dead)
        return silent or any(span.holds(self.now) for span in region.sick)

    def _region(self, name: str) -> Vantage:
        return next(region for region in self.scenario.regions if region.name == name)

    def _is_lost(self) -> bool:
        return self.in_trouble and self.random.random() < self.scenario.loss

    def _delay(self) -> float:
        return self.random.uniform(0.001, self.scenario.slowest if self.in_trouble else 0.3)

    def _crashes(self) -> bool:
        return self.in_trouble and self.random.random() < self.scenario.crashes

    def _first_slot(self, id_: int) -> float:
        now_ms = unix_ms(EPOCH)
        interval_ms = int(self.watched[id_].target.interval * 1000)
        return (next_slot_ms(id_, interval_ms, now_ms) - now_ms) / 1000


def _case(target: Target) -> Case:
    interval = timedelta(seconds=target.interval)
    return Case(
        timeout=timedelta(seconds=target.timeout),
        configured_interval=interval,
        interval=interval,
        status=Status.UNKNOWN,
        since=EPOCH,
        scheduled_since=EPOCH,
    )


def _line(id_: int, commit: Committed, now: float) -> str:
    round_ = commit.after.round
    votes = " ".join(f"{each.region}:{each.outcome or '?'}" for each in round_.ballots) if round_ else "-"
    verdict = round_.verdict if round_ else None
    effects: Iterable[str] = (type(effect).__name__ for effect in commit.effects)
    return f"{now:9.3f} monitor {id_} {commit.after.status} [{votes}] {verdict or ''} {' '.join(effects)}"
