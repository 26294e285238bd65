"""Rounds: opening one, asking its regions, replacing one that is silent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from incidents.models import Round, Vote
from incidents.verdict import Mode, mode_for
from monitors.dispatch import TRANSPORT, send
from monitors.models import Monitor, MonitorState
from monitors.regions import live_regions
from monitors.targets import TARGETS
from probes.instants import from_unix_ms, unix_ms
from probes.messages import Batch, ProbeRequest, ProbeResult, pack_result

TRY_SPACING = timedelta(seconds=2)
"""Between the tries of a region that is alone: a hiccup must not count three times."""


def open_round(state: MonitorState, dissent: ProbeResult, now: datetime) -> Round:
    """Open a round with `dissent` as its first vote, and ask other regions at once.

    The caller holds the state's row lock and has seen that no round is open.
    """
    others = _others(dissent.region, live_regions(now))
    mode = mode_for(len(others) + 1)
    round_ = _create(state, mode, from_unix_ms(dissent.scheduled_at_ms), now)
    record_answer(Vote(round=round_, region=dissent.region, ask_at=now, asked_at=now), dissent)
    if mode.regions == 1:
        _plan_tries(round_, dissent.region, range(2, mode.tries + 1), now)
    else:
        ask(round_, state.monitor, others[: mode.regions - 1], now)
    return round_


def open_first_round(state: MonitorState, now: datetime) -> Round | None:
    """Open the round that gives first knowledge of a monitor; None where no region lives to be asked."""
    alive = live_regions(now)
    if not alive:
        return None
    mode = mode_for(len(alive))
    round_ = _create(state, mode, now, now)
    ask(round_, state.monitor, alive[: mode.regions], now)
    if mode.regions == 1:
        _plan_tries(round_, alive[0], range(2, mode.tries + 1), now)
    return round_


def ask(round_: Round, monitor: Monitor, regions: Sequence[str], now: datetime) -> None:
    """Ask `regions` for their first try, once this transaction commits."""
    votes = [Vote(round=round_, region=region, ask_at=now) for region in regions]
    Vote.objects.bulk_create(votes)
    send_questions(round_, monitor, votes, now)


def send_questions(round_: Round, monitor: Monitor, votes: Sequence[Vote], now: datetime) -> None:
    """Send the questions of `votes`, once this transaction commits, and note that they were asked."""
    for vote in votes:
        vote.asked_at = now
        question = _question(round_, monitor, vote)
        transaction.on_commit(partial(send, question, round_.deadline_at))
    Vote.objects.bulk_update(votes, ["asked_at"])


def replace_silent(round_: Round, monitor: Monitor, now: datetime) -> bool:
    """Ask one region that was not asked yet, once a round; whether there was one."""
    asked = set(round_.votes.values_list("region", flat=True))
    spare = [region for region in live_regions(now) if region not in asked]
    if round_.extended or not spare:
        return False
    round_.extended = True
    round_.deadline_at = now + _patience(monitor)
    round_.save(update_fields=["extended", "deadline_at"])
    ask(round_, monitor, spare[:1], now)
    return True


def record_answer(vote: Vote, result: ProbeResult) -> None:
    """Keep what the region answered: the round's receipt."""
    vote.outcome = result.outcome
    vote.evidence = pack_result(result)
    vote.save()


def _create(state: MonitorState, mode: Mode, scheduled_at: datetime, now: datetime) -> Round:
    return Round.objects.create(
        monitor=state.monitor,
        scheduled_at=scheduled_at,
        config_version=state.config_version,
        mode=mode.name,
        opened_at=now,
        deadline_at=now + (mode.tries - 1) * TRY_SPACING + _patience(state.monitor),
    )


def _others(region: str, alive: Sequence[str]) -> list[str]:
    """The live regions but `region`, from the one after it on: so each is asked as often as the others."""
    start = alive.index(region) + 1 if region in alive else 0
    return [other for other in [*alive[start:], *alive[:start]] if other != region]


def _plan_tries(round_: Round, region: str, attempts: range, now: datetime) -> None:
    Vote.objects.bulk_create(
        Vote(round=round_, region=region, attempt=attempt, ask_at=now + (attempt - 1) * TRY_SPACING)
        for attempt in attempts
    )


def _question(round_: Round, monitor: Monitor, vote: Vote) -> Batch:
    request = ProbeRequest(
        monitor_id=monitor.pk,
        config_version=round_.config_version,
        scheduled_at_ms=unix_ms(round_.scheduled_at),
        round_id=round_.pk,
        attempt=vote.attempt,
        target=TARGETS[monitor.type](monitor.url, monitor.options),
        timeout_ms=monitor.timeout_ms,
        start_by_ms=unix_ms(round_.deadline_at),
    )
    return Batch(region=vote.region, urgent=True, requests=[request])


def _patience(monitor: Monitor) -> timedelta:
    return timedelta(milliseconds=monitor.timeout_ms) + TRANSPORT
