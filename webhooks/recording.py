"""Recording what came of an attempt, and with it what is to happen next."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from django.db import transaction

from accounts import tally
from webhooks.claiming import Claim
from webhooks.disabling import disable_webhook
from webhooks.models import Attempt, Delivery, Status
from webhooks.outcome import AttemptOutcome
from webhooks.schedule import next_attempt_at, wait_asked

logger = logging.getLogger(__name__)


@transaction.atomic
def record_attempt(claim: Claim, outcome: AttemptOutcome, now: datetime) -> bool:
    """Log the attempt and settle its delivery; if the lease was lost, leave it as it is and return False.

    A lost lease means that another claim makes, or made, the attempt of this number.
    """
    if outcome.refused_for_good:
        disable_webhook(claim, now)
    mine = Delivery.objects.filter(pk=claim.delivery_id, lease_until=claim.lease_until)
    delivery = mine.select_for_update().first()
    if delivery is None:
        logger.warning("delivery.lease_lost", extra={"delivery": claim.delivery_id, "attempt": claim.attempt})
        return False
    _log(claim, outcome)
    _settle(delivery, claim, outcome, now)
    return True


def _log(claim: Claim, outcome: AttemptOutcome) -> None:
    Attempt.objects.create(
        delivery_id=claim.delivery_id,
        number=claim.attempt,
        started_at=claim.claimed_at,
        duration_ms=outcome.duration_ms,
        status_code=outcome.status_code,
        error_class=outcome.error_class,
        error=outcome.error,
        response_head=outcome.response_head,
    )


def _settle(delivery: Delivery, claim: Claim, outcome: AttemptOutcome, now: datetime) -> None:
    delivery.attempt_count = claim.attempt
    delivery.last_attempt_at = claim.claimed_at
    delivery.last_response_code = outcome.status_code
    delivery.lease_until = None
    retry_at = _retry_at(delivery, claim, outcome, now)
    if outcome.delivered:
        delivery.status = Status.DELIVERED
    elif retry_at is None:
        delivery.status = Status.FAILED
    else:
        delivery.status, delivery.next_attempt_at = Status.RETRYING, retry_at
    delivery.save()
    transaction.on_commit(partial(tally.add, {("attempts", delivery.status): 1}))


def _retry_at(delivery: Delivery, claim: Claim, outcome: AttemptOutcome, now: datetime) -> datetime | None:
    # A delivery that failed while its attempt was on its way had its webhook removed or disabled.
    if outcome.refused_for_good or delivery.status == Status.FAILED:
        return None
    failures = claim.attempt - delivery.chain_start
    return next_attempt_at(failures, now, wait_asked(outcome.retry_after, now))
