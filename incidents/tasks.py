"""The tasks that settle what the regions saw. Only here is the clock asked; the steps take `now`."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from incidents.confirmation import ask_again, settle, settle_overdue
from incidents.models import Round, Vote
from monitors.evidence import record_evidence
from probes import names
from probes.messages import BadMessage, Results, unpack

logger = logging.getLogger(__name__)

MOST_OVERDUE = 500


@shared_task(
    name=names.INGEST,
    acks_late=True,
    # Two messages about the same monitors may lock each other's rows; every step here may run twice.
    autoretry_for=(OperationalError,),
    retry_backoff=False,
    default_retry_delay=0,
    max_retries=3,
)
def ingest(message: object) -> None:
    """Step 7: store the evidence of one message, then settle what is not quiet."""
    try:
        results = _trusted(message)
    except BadMessage as error:
        logger.warning("ingest.dropped: %s", error)
        return
    for result in record_evidence(results.results):
        settle(result, timezone.now())


@shared_task(name="incidents.sweep")
def sweep() -> None:
    """The net, every second: tries whose time has come, and rounds past their deadline."""
    now = timezone.now()
    waiting = Vote.objects.filter(asked_at=None, ask_at__lte=now, round__closed_at=None)
    for monitor_id in waiting.values_list("round__monitor_id", flat=True).distinct():
        ask_again(monitor_id, now)
    overdue = Round.objects.filter(closed_at=None, deadline_at__lte=now).order_by("deadline_at")
    for monitor_id in overdue.values_list("monitor_id", flat=True)[:MOST_OVERDUE]:
        settle_overdue(monitor_id, now)


def _trusted(message: object) -> Results:
    """The results in `message`, all of the region that sent them; raises `BadMessage`."""
    results = unpack(message, Results)
    strangers = {result.region for result in results.results} - {results.region}
    if results.region not in settings.REGIONS or strangers:
        raise BadMessage(f"region {results.region!r} is not ours, or speaks for {sorted(strangers)}")
    return results
