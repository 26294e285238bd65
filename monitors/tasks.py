"""The periodic tasks of the schedule. Only here is the clock asked; the steps take `now`."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import msgspec
from celery import shared_task
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.redis import client
from monitors import operator, partitions, pulse, regions, rollups
from monitors.dispatch import dispatch
from monitors.models import KillSwitch
from monitors.scheduling import claim_due, claim_lost
from probes import names
from probes.messages import BadMessage, RegionBeat, unpack

logger = logging.getLogger(__name__)

CLAIM_LIMIT = 5_000
"""Checks of one interval in one transaction: enough to fill a message to each region, few enough to commit
within 0.1 s. Where several intervals have so many due there are as many times more."""
MOST_ROUNDS = 10
MOST_WAITING = 25
"""Messages of results, of up to 1,000 each. While more of them wait to be stored, no check is claimed."""
APART = timedelta(seconds=10)
"""Schedulers whose clocks are further apart would claim the same slots, each by its own."""
AHEAD = timedelta(seconds=1)
"""What is due until the next tick is claimed with this one, and begun by the worker when its time comes."""


@shared_task(name="monitors.tick")
def tick() -> int:
    """Step 1, every second: claim and dispatch what is due and what was lost; return how many checks.

    Never more than can be stored: else results would wait for longer than their leases, be looked for again,
    and what a machine can carry would go into what nobody stores. What is due then is late, or missed.
    """
    if is_wrong(timezone.now()):
        return 0
    total = 0
    for _ in range(MOST_ROUNDS):
        if results_waiting() > MOST_WAITING:
            logger.warning("tick.overloaded: more results wait than are stored; checks wait, too")
            break
        claimed = claim_and_dispatch()
        total += claimed
        if claimed < CLAIM_LIMIT:
            break
    pulse.beat("tick", timezone.now())
    return total


def is_wrong(now: datetime) -> bool:
    """Whether our clock is not that of the database, which all share: then others claim, and not we."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (shared,) = cursor.fetchone()
    if abs(now - shared) <= APART:
        return False
    ahead_seconds = (now - shared).total_seconds()
    logger.error("tick.wrong_clock: it is %.0f s ahead of the database's; no check is claimed", ahead_seconds)
    return True


def results_waiting() -> int:
    """How many messages of results wait to be stored; 0 if nobody can be asked."""
    try:
        return int(client().llen(names.INGEST_QUEUE))
    except RedisError as error:
        logger.warning("tick.broker_away: %s", error)
        return 0


def claim_and_dispatch() -> int:
    """One transaction of `tick`; return the number of checks that it claimed."""
    now = timezone.now()
    alive = regions.live_regions(now)
    if not alive:
        _say_why_checks_wait()
        return 0
    with transaction.atomic():
        claims = claim_due(now + AHEAD, CLAIM_LIMIT)
        dispatch([*claims, *claim_lost(now, CLAIM_LIMIT)], alive, now)
    return len(claims)


def _say_why_checks_wait() -> None:
    if KillSwitch.objects.exists():
        logger.warning("tick.kill_switch: it is engaged; checks wait")
    else:
        logger.warning("tick.no_region: no region's worker has reported; checks wait")


@shared_task(name=names.REGION_BEAT)
def region_beat(message: msgspec.Raw) -> None:
    """A regional worker reports that it lives."""
    try:
        beat = unpack(message, RegionBeat)
    except BadMessage as error:
        logger.warning("region_beat.dropped: %s", error)
        return
    regions.record_beat(beat, timezone.now())


@shared_task(name="monitors.watch_regions")
def watch_regions() -> None:
    """Every few seconds: judge the regions, and tell the operator of those that do not vote."""
    now = timezone.now()
    regions.judge(now)
    operator.report(regions.troubles(now), len(settings.REGIONS), now)


@shared_task(name="monitors.keep_partitions")
def keep_partitions() -> None:
    """Every minute: partitions of the evidence and its rollups, ahead and behind."""
    partitions.keep_partitions(
        timezone.now(),
        evidence_days=settings.EVIDENCE_RETENTION_DAYS,
        rollup_days=settings.ROLLUP_RETENTION_DAYS,
        rolled_up_until=rollups.evidence_rolled_up_until(),
    )


@shared_task(name="monitors.roll_up")
def roll_up() -> int:
    """Every minute: roll up the hours that have closed; return how many."""
    now = timezone.now()
    return rollups.roll_up_evidence(now - timedelta(days=settings.EVIDENCE_RETENTION_DAYS), now)
