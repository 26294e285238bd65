"""The tasks that settle what the regions saw. Only here is the clock asked; the steps take `now`."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta

import msgspec
from celery import shared_task
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from django.db.models import Q
from django.utils import timezone

from accounts import tally
from accounts.servers import GONE_AFTER
from incidents import rollups
from incidents.agents import gone_unnoticed, miss_server
from incidents.certificates import warn_of_certificates
from incidents.confirmation import settle, settle_flapping, settle_overdue
from incidents.flapping import CALM
from incidents.heartbeats import settle_alarm
from incidents.isolation import take_each
from incidents.models import Incident, Round
from monitors import backoff, heartbeats, pulse, regions
from monitors.evidence import record_evidence, storable_result
from monitors.models import MonitorState, OperatorEvent, WatchedPeriod
from monitors.schedules import TOO_FAR
from probes import names
from probes.instants import unix_ms
from probes.messages import BadMessage, ProbeResult, Results, unpack

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 500
MOST_ALARMS = 10_000
"""Alarms that one statement moves."""
PULSE = "heartbeats"
"""While this task runs the service is there, and so pings can be received."""


@shared_task(
    name=names.INGEST,
    acks_late=True,
    # Two messages about the same monitors may lock each other's rows; every step here may run twice.
    autoretry_for=(OperationalError,),
    retry_backoff=False,
    default_retry_delay=0,
    max_retries=3,
)
def ingest(message: msgspec.Raw) -> None:
    """Step 7: store the evidence of one message, then settle what is not quiet."""
    try:
        received = _trusted(message)
    except BadMessage as error:
        logger.warning("ingest.dropped: %s", error)
        return
    results = regions.abstaining(received.results, received.region)
    answers = [result for result in results if result.outcome != "slow"]
    suspicions = [storable_result(result) for result in results if result.outcome == "slow"]
    take_each((*record_evidence(answers), *suspicions), _settle)
    warn_of_certificates(answers, timezone.now())
    tally.add(_counts(received.region, answers))


@shared_task(name="incidents.sweep")
def sweep() -> None:
    """The net, every second: tries whose time has come, and rounds past their deadline."""
    now = timezone.now()
    due = Q(deadline_at__lte=now) | Q(votes__asked_at=None, votes__ask_at__lte=now)
    rounds = Round.objects.filter(due, closed_at=None).order_by("deadline_at")
    take_each(set(rounds.values_list("monitor_id", flat=True)[:MOST_AT_ONCE]), settle_overdue, now)


@shared_task(name="incidents.settle_alarms")
def settle_alarms() -> None:
    """Every second: the heartbeats that are overdue, and the alarms that rang for pings which have come."""
    now = timezone.now()
    pulse.beat(PULSE, now)
    awake_since = pulse.running_since(PULSE) or now
    heartbeats.move_alarms(now, MOST_ALARMS)
    take_each(heartbeats.rung(now, MOST_AT_ONCE), settle_alarm, awake_since, now)


@shared_task(name="incidents.settle_down")
def settle_down() -> None:
    """Every few seconds: stretch the interval of what is long down, and end the flapping of what is calm."""
    now = timezone.now()
    backoff.stretch_intervals(now)
    calm = MonitorState.objects.filter(flapping_since__isnull=False, status_since__lte=now - CALM)
    take_each(calm.values_list("pk", flat=True)[:MOST_AT_ONCE], settle_flapping, now)


@shared_task(name="incidents.watch_servers")
def watch_servers() -> None:
    """Twice a minute: note which of the customers' servers are gone. Not after an outage of our own."""
    now = timezone.now()
    since = pulse.running_since("tick")
    if since is None or now - since < GONE_AFTER:
        return
    take_each(gone_unnoticed(now)[:MOST_AT_ONCE], miss_server, now)


@shared_task(name="incidents.forget_old")
def forget_old() -> None:
    """Hourly: drop what is past its retention, but no incident or round that is not rolled up yet."""
    now = timezone.now()
    rolled_up = rollups.downtime_rolled_up_until() or now
    over = now - settings.INCIDENT_RETENTION
    horizon = min(over, rolled_up)
    Incident.objects.filter(resolved_at__lt=horizon).delete()
    Round.objects.filter(opened_at__lt=horizon, closed_at__isnull=False).delete()
    OperatorEvent.objects.filter(ended_at__lt=over).delete()
    oldest_hour = now - timedelta(days=settings.ROLLUP_RETENTION_DAYS)
    rollups.forget_hours(oldest_hour)
    WatchedPeriod.objects.filter(ended_at__lt=oldest_hour).delete()
    call_command("clearsessions")


@shared_task(name="incidents.roll_up")
def roll_up() -> int:
    """Every minute: roll up the downtime of the hours that have closed; return how many."""
    return rollups.roll_up_downtime(timezone.now())


def _settle(result: ProbeResult) -> None:
    settle(result, timezone.now())  # which goes on while a long message is settled


def _counts(region: str, answers: list[ProbeResult]) -> Counter[tuple[str, ...]]:
    """What metrics tell of these answers."""
    outcomes = Counter(answer.outcome for answer in answers)
    late = [answer.started_at_ms - answer.scheduled_at_ms for answer in answers if answer.round_id is None]
    counts = Counter[tuple[str, ...]]({("probes", region, each): outcomes[each] for each in outcomes})
    counts["scheduled_probes", region] = len(late)
    counts["lag_milliseconds", region] = sum(each for each in late if each > 0)
    return counts


def _trusted(message: msgspec.Raw) -> Results:
    """The results in `message`, all of the region that sent them; raises `BadMessage`.

    Not those of slots far ahead: next to them whatever is true would be old, until their time has come.
    """
    results = unpack(message, Results)
    strangers = {result.region for result in results.results} - {results.region}
    if results.region not in settings.REGIONS or strangers:
        raise BadMessage(f"region {results.region!r} is not ours, or speaks for {sorted(strangers)}")
    latest_ms = unix_ms(timezone.now() + TOO_FAR)
    timely = [result for result in results.results if result.scheduled_at_ms <= latest_ms]
    if len(timely) < len(results.results):
        logger.warning("ingest.ahead: results of slots to come are dropped", extra={"region": results.region})
    return msgspec.structs.replace(results, results=timely)
