"""Step 3: which region looks, in which message, and until when an answer is waited for."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from monitors.evidence import record_evidence
from monitors.leases import grant_leases
from monitors.models import Monitor
from monitors.optouts import anyone_opted_out, opted_out_of
from monitors.scheduling import Claim
from monitors.slots import turn
from monitors.status import Status
from monitors.targets import TARGETS, host_of
from monitors.timing import LATEST_START, SUSPICION_PERCENT, TRANSPORT
from probes import broker, names
from probes.errors import ErrorClass
from probes.instants import from_unix_ms, unix_ms
from probes.messages import Batch, ProbeRequest, pack, split
from probes.probe import not_run

logger = logging.getLogger(__name__)

BATCH_SIZE = 1_000
SLOW_TIMEOUT_MS = 10_000
LATEST_START_MS = LATEST_START // timedelta(milliseconds=1)
TRANSPORT_MS = TRANSPORT // timedelta(milliseconds=1)
OPTED_OUT = "the owner of the target has opted out"


def dispatch(claims: Iterable[Claim], regions: Sequence[str], now: datetime) -> list[Batch]:
    """Lease `claims` to `regions` (at least one) and, once this transaction commits, send them."""
    batches = plan(claims, regions, now)
    grant_leases(batches)
    transaction.on_commit(lambda: send_all(batches))
    return batches


def look_now(monitor: Monitor, regions: Sequence[str], now: datetime) -> datetime:
    """Have the region whose turn it is look at a monitor at once; return the slot of that look.

    It is a check like any other, ahead of the schedule: it is stored, and it can open a round.
    """
    slot_ms = unix_ms(now)
    claim = Claim(
        monitor_id=monitor.pk,
        config_version=monitor.state.config_version,
        status=monitor.state.status,
        scheduled_at_ms=slot_ms,
        interval_seconds=monitor.interval_seconds,
        type=monitor.type,
        url=monitor.url,
        timeout_ms=monitor.timeout_ms,
        options=monitor.options,
    )
    for batch in plan([claim], regions, now):
        send(msgspec.structs.replace(batch, urgent=True))
    return from_unix_ms(slot_ms)


def plan(claims: Iterable[Claim], regions: Sequence[str], now: datetime) -> list[Batch]:
    """Group claims by region into batches; slow timeouts apart, since a lease waits for its slowest probe.

    A claim without a target, which no entrance should have let in, is logged and must not stop the others.
    """
    now_ms = unix_ms(now)
    groups: defaultdict[tuple[str, int, bool], list[ProbeRequest]] = defaultdict(list)
    for claim in claims:
        slow = claim.timeout_ms > SLOW_TIMEOUT_MS
        try:
            request = _request(claim, now_ms)
        except Exception:
            logger.exception("dispatch.no_target", extra={"monitor": claim.monitor_id})
            continue
        groups[_region(claim, regions), claim.attempt, slow].append(request)
    return [
        _batch(region, chunk)
        for (region, _, _), group in groups.items()
        for chunk in split(group, BATCH_SIZE)
    ]


def send(batch: Batch) -> None:
    """Send one message: see `send_all`."""
    send_all([batch])


def send_all(batches: Iterable[Batch]) -> None:
    """Send each message to its region's worker; the broker's absence is logged, never raised.

    What is lost so is found by its lease or by its round's deadline, as if a worker had lost it; but who had
    a monitor looked at now (`look_now`) has to ask again. Targets whose owners have opted out since the
    monitor was made are not sent.
    """
    anyone_is_out = anyone_opted_out()
    for batch in batches:
        permitted = without_opted_out(batch) if anyone_is_out else batch
        if permitted.requests:
            _send(permitted)


def without_opted_out(batch: Batch) -> Batch:
    """The batch without the targets that may not be looked at; those are answered `blocked`."""
    hosts = [host_of(request.target) for request in batch.requests]
    if not (refused := opted_out_of(hosts)):
        return batch
    parted = list(zip(hosts, batch.requests, strict=True))
    record_evidence(
        [
            not_run(request, batch.region, ErrorClass.BLOCKED, OPTED_OUT)
            for host, request in parted
            if host in refused
        ]
    )
    kept = [request for host, request in parted if host not in refused]
    return msgspec.structs.replace(batch, requests=kept)


def _send(batch: Batch) -> None:
    queue = names.urgent_queue(batch.region) if batch.urgent else names.scheduled_queue(batch.region)
    try:
        current_app.send_task(
            names.RUN_BATCH, args=[pack(batch)], queue=queue, retry=False, argsrepr=broker.SHOWN
        )
    except OperationalError as error:
        lost = {"region": batch.region, "probes": len(batch.requests)}
        logger.warning("dispatch.lost: %s", error, extra=lost)


def _region(claim: Claim, regions: Sequence[str]) -> str:
    others = regions
    if claim.lost_in:
        others = [region for region in regions if region != claim.lost_in] or regions
    interval_ms = claim.interval_seconds * 1000
    return others[turn(claim.monitor_id, interval_ms, claim.scheduled_at_ms, len(others))]


def _batch(region: str, requests: list[ProbeRequest]) -> Batch:
    longest_ms = max(request.start_by_ms + request.timeout_ms for request in requests)
    return Batch(region=region, expires_at_ms=longest_ms + TRANSPORT_MS, requests=requests)


def _request(claim: Claim, now_ms: int) -> ProbeRequest:
    return ProbeRequest(
        monitor_id=claim.monitor_id,
        config_version=claim.config_version,
        scheduled_at_ms=claim.scheduled_at_ms,
        attempt=claim.attempt,
        target=TARGETS[claim.type](claim.url, claim.options),
        timeout_ms=claim.timeout_ms,
        # What is known to be down needs no suspicion, and would raise one with every probe.
        suspect_after_ms=None if claim.status == Status.DOWN else claim.timeout_ms * SUSPICION_PERCENT // 100,
        latency_warn_ms=claim.options.get("latency_warn_ms"),
        start_by_ms=max(now_ms, claim.scheduled_at_ms) + min(claim.interval_seconds * 1000, LATEST_START_MS),
    )
