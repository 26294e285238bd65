"""Step 9, the decision: from what is known of a monitor, and one answer, to what is to be. Pure.

1. An answer of another configuration, or of a paused monitor, says nothing.
2. A probe that takes long is suspected: it opens a round at once, in which its own vote is awaited.
3. A scheduled answer that is newer than any before, and disagrees with the state, opens a round; while one
   is open, an answer from outside it is no vote, and while no region is to be believed, none opens.
4. An answer of the open round is counted; a quorum closes it, and so does the hope of one running out.
5. The verdict changes the state, or leaves it and shows which regions fail alone. Down waits for as many
   failed checks in a row as the customer asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from incidents import regional
from incidents.case import Awaited, Case, Decision, Round
from incidents.flapping import announce, with_change
from incidents.rounds import (
    first_round,
    round_on,
    verdict_of,
    with_answer,
    with_questions_asked,
    with_replacement,
)
from incidents.transitions import Change, apply_verdict
from incidents.verdict import Verdict
from monitors.status import Status
from probes.instants import from_unix_ms
from probes.messages import ProbeResult

SOON = timedelta(seconds=10)
"""After an inconclusive round the next check comes within this time, however long the interval."""


def heed(case: Case, result: ProbeResult, alive: Sequence[str], now: datetime) -> Decision:
    """What a result changes. The same one twice changes nothing the second time."""
    if not case.enabled or result.config_version != case.config_version:
        return Decision(case)
    if result.round_id is None:
        return _heed_scheduled(case, result, alive, now)
    if case.round is None or case.round.id != result.round_id:
        return Decision(case)
    answered = with_answer(case.round, result)
    return _conclude(_seen(case, result), answered, alive, now) if answered else Decision(case)


def go_on(case: Case, alive: Sequence[str], now: datetime) -> Decision:
    """What the passing of time changes in the open round: tries whose time has come, and its deadline."""
    return _conclude(case, case.round, alive, now) if case.round else Decision(case)


def begin(case: Case, alive: Sequence[str], now: datetime) -> Case:
    """The case with a round for first knowledge, if any region lives to be asked."""
    if not alive:
        return case
    return replace(case, round=with_questions_asked(first_round(alive, case.timeout, now), now))


def pronounce(case: Case, closed: Round, now: datetime) -> Decision:
    """What a verdict changes that was reached without asking regions; `closed` is its receipt."""
    return _follow(case, closed, closed.verdict or Verdict.INCONCLUSIVE, now)


def _heed_scheduled(case: Case, result: ProbeResult, alive: Sequence[str], now: datetime) -> Decision:
    slot = from_unix_ms(result.scheduled_at_ms)
    is_newer = case.last_scheduled_at is None or slot > case.last_scheduled_at
    if result.outcome == "slow":
        return _suspect(case, result, alive, now) if is_newer else Decision(case)
    if case.awaited == Awaited(slot, result.region):
        return _heed_awaited(replace(case, awaited=None), result, alive, now)
    if is_newer:
        case = _seen(replace(case, last_scheduled_at=slot), result)
        if result.outcome == case.status == Status.UP:
            case = replace(case, consecutive_fails=0)
    if result.outcome == case.status:
        return regional.recover(case, result)
    if not is_newer or result.outcome not in ("up", "down") or case.round is not None or not alive:
        return Decision(case)
    return _conclude(case, round_on(result, alive, case.timeout, now), alive, now)


def _suspect(case: Case, slow: ProbeResult, alive: Sequence[str], now: datetime) -> Decision:
    if case.status is Status.DOWN or case.round is not None or not alive:
        return Decision(case)
    awaited = Awaited(from_unix_ms(slow.scheduled_at_ms), slow.region)
    return _conclude(replace(case, awaited=awaited), round_on(slow, alive, case.timeout, now), alive, now)


def _heed_awaited(case: Case, result: ProbeResult, alive: Sequence[str], now: datetime) -> Decision:
    """The answer of a probe that was suspected: a vote, or late word of a region that fails alone."""
    case = _seen(case, result)
    slot = from_unix_ms(result.scheduled_at_ms)
    if case.round is not None and case.round.scheduled_at == slot:
        answered = with_answer(case.round, msgspec.structs.replace(result, attempt=1))
        return _conclude(case, answered, alive, now) if answered else Decision(case)
    return regional.note_late(case, result, now)


def _conclude(case: Case, round_: Round, alive: Sequence[str], now: datetime) -> Decision:
    """The case with the round, which is closed if its votes decide it."""
    verdict = verdict_of(round_, now)
    if verdict is Verdict.INCONCLUSIVE:
        extended = with_replacement(round_, alive, case.timeout, now)
        round_, verdict = (extended, None) if extended else (round_, verdict)
    if verdict is None:
        return Decision(replace(case, round=with_questions_asked(round_, now)))
    settled = max(case.last_scheduled_at or round_.scheduled_at, round_.scheduled_at)
    closed = replace(round_, verdict=verdict, closed_at=now)
    return _follow(replace(case, last_scheduled_at=settled), closed, verdict, now)


def _follow(case: Case, closed: Round, verdict: Verdict, now: datetime) -> Decision:
    case = _counted(case, verdict)
    change = apply_verdict(case.status, verdict)
    if change and change.to is Status.DOWN and case.consecutive_fails < case.confirmation_count:
        return Decision(replace(case, round=closed))
    if change:
        decision = _transition(case, change, common_reason(closed), now)
        left = regional.note(decision.case, closed, now)
        return Decision(left.case, (*decision.effects, *left.effects))
    if verdict is Verdict.INCONCLUSIVE and case.scheduled_since and case.interval > SOON:
        soon = now + SOON
        case = replace(case, extra_check_at=min(case.extra_check_at or soon, soon))
    return regional.note(case, closed, now)


def _counted(case: Case, verdict: Verdict) -> Case:
    """The case with one more failed check, or with none after one that was not."""
    if verdict is Verdict.INCONCLUSIVE:
        return case
    return replace(case, consecutive_fails=case.consecutive_fails + 1 if verdict is Verdict.DOWN else 0)


def _transition(case: Case, change: Change, reason: str, now: datetime) -> Decision:
    """The case in its new state, watched at its configured interval again, and what is to be told of it."""
    interval = case.configured_interval
    moved = replace(
        with_change(case, now),
        status=change.to,
        since=now,
        sequence=case.sequence + 1,
        interval=interval,
        scheduled_since=now if case.scheduled_since and interval != case.interval else case.scheduled_since,
    )
    return announce(moved, change, reason, now)


def common_reason(round_: Round) -> str:
    """The error class that most of the failing votes gave, of equals the first; empty where none failed."""
    classes = Counter(
        ballot.result.error_class for ballot in round_.ballots if ballot.result and ballot.outcome == "down"
    )
    return classes.most_common(1)[0][0] if classes else ""


def _seen(case: Case, result: ProbeResult) -> Case:
    """The case with the time of its newest up or down."""
    at = from_unix_ms(result.started_at_ms)
    if result.outcome not in ("up", "down") or (case.last_check_at and at <= case.last_check_at):
        return case
    return replace(case, last_check_at=at)
