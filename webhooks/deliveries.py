"""Delivering: claim what is due, send it, record what came of it, until nothing is due.

1. `claim_deliveries` leases rows, and commits.
2. `attempt` sends one of them. No transaction is open, so a slow receiver holds no lock.
3. `record_attempt` settles its row, in a transaction, as soon as it is finished.

A process killed between any two of them leaves a lease, which runs out, and the delivery is claimed again:
at least once, and twice only with the same `delivery_id`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Event

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings

from probes.curl import Curl
from webhooks.channels import attempt
from webhooks.claiming import Claim, claim_deliveries
from webhooks.recording import record_attempt

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

MOST_UNDER_WAY = 200
POLL_SECONDS = 0.2
"""How soon a run that waits for slow receivers sees that something else became due."""


def deliver_due(clock: Clock, stopping: Event) -> int:
    """Step 14: deliver until nothing is due and nothing under way; return the number of attempts.

    It lasts, so it takes a clock and not an instant; when `stopping` is set, it claims no more. Any number
    of runs may go on at once.
    """
    claims = claim_deliveries(clock(), _free(0, stopping))
    if not claims:  # as in most seconds: a loop, its thread and libcurl cost more than the look
        return 0
    # The loop runs in a thread of its own; sync_to_async brings each database call back to this one,
    # and so to the connection that its caller closes.
    return async_to_sync(_deliver)(claims, clock, stopping)


def _free(under_way: int, stopping: Event) -> int:
    return 0 if stopping.is_set() else MOST_UNDER_WAY - under_way


async def _deliver(claims: list[Claim], clock: Clock, stopping: Event) -> int:
    under_way: set[asyncio.Task[None]] = set()
    attempts = 0
    async with Curl(settings.ADDRESS_POLICY) as curl:
        while claims or under_way:
            attempts += len(claims)
            under_way |= {asyncio.create_task(_deliver_one(curl, claim, clock)) for claim in claims}
            finished, under_way = await asyncio.wait(
                under_way, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            _report_errors(finished)
            claims = await sync_to_async(claim_deliveries)(clock(), _free(len(under_way), stopping))
    return attempts


async def _deliver_one(curl: Curl, claim: Claim, clock: Clock) -> None:
    outcome = await attempt(curl, claim)
    await sync_to_async(record_attempt)(claim, outcome, clock())


def _report_errors(finished: Iterable[asyncio.Task[None]]) -> None:
    # One delivery that cannot be recorded is no reason to give up the others; its lease will run out.
    for task in finished:
        if error := task.exception():
            logger.error("delivery.unrecorded", exc_info=error)
