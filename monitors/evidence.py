"""Step 8: what the probes saw, stored in bulk; the quiet case ends here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from monitors.models import Evidence, RegionalFailure
from probes.instants import from_unix_ms
from probes.messages import ProbeResult

LONGEST_ERROR = 500

INSERT = """
INSERT INTO monitors_evidence (
    monitor_id, scheduled_at, region, round_id, attempt, outcome, started_at, total_ms, error_class, error,
    status_code, address, family, dns_ms, connect_ms, tls_ms, ttfb_ms, download_ms, cert_expires_at)
SELECT * FROM unnest(
    %s::bigint[], %s::timestamptz[], %s::text[], %s::bigint[], %s::smallint[], %s::text[], %s::timestamptz[],
    %s::float8[], %s::text[], %s::text[], %s::int[], %s::text[], %s::smallint[], %s::float8[], %s::float8[],
    %s::float8[], %s::float8[], %s::float8[], %s::timestamptz[])
ON CONFLICT DO NOTHING
"""

# The quiet case: the answer agrees with the state, or says nothing of the target. One statement a
# message and no lock of its own, so the row's status is compared in the same breath.
QUIET = """
UPDATE monitors_monitorstate state SET
    last_scheduled_at = greatest(state.last_scheduled_at, answer.scheduled_at),
    last_check_at = CASE WHEN answer.outcome IN ('up', 'down')
        THEN greatest(state.last_check_at, answer.started_at) ELSE state.last_check_at END,
    consecutive_fails = CASE
        WHEN answer.scheduled_at <= state.last_scheduled_at THEN state.consecutive_fails
        WHEN answer.outcome = 'up' THEN 0
        ELSE state.consecutive_fails + (answer.outcome = 'down')::int END,
    missed_checks = state.missed_checks + (answer.outcome = 'missed'
        AND answer.scheduled_at > coalesce(state.last_scheduled_at, '-infinity'))::int
FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[], %s::text[], %s::timestamptz[])
    AS answer (monitor_id, config_version, scheduled_at, outcome, started_at)
WHERE state.monitor_id = answer.monitor_id AND state.config_version = answer.config_version
  AND (state.status = answer.outcome OR answer.outcome IN ('missed', 'error'))
  AND state.awaited_slot IS DISTINCT FROM answer.scheduled_at
RETURNING state.monitor_id, answer.scheduled_at
"""


def record_evidence(results: Sequence[ProbeResult]) -> list[ProbeResult]:
    """Store `results` of one region, each once whatever is delivered twice; return those that are not quiet.

    Not quiet is a result of a round, an up or down that disagrees with the monitor's state, an up that ends
    a failure of this region alone, and the answer of a probe that was suspected.
    """
    if not results:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, _columns(results))
        quiet = _touch(cursor, [result for result in results if result.round_id is None])
    failing = _failing_here(results)
    return [result for result in results if not _is_quiet(result, quiet, failing)]


def latest(monitor_id: int, limit: int) -> list[Evidence]:
    """The newest evidence of a monitor that says up or down, newest first."""
    votes = Evidence.objects.filter(monitor_id=monitor_id, outcome__in=["up", "down"])
    return list(votes.order_by("-scheduled_at", "-started_at")[:limit])


def _failing_here(results: Sequence[ProbeResult]) -> set[int]:
    """The monitors that fail for this region alone, of those that it now sees up."""
    up = [result.monitor_id for result in results if result.outcome == "up"]
    if not up:
        return set()
    failures = RegionalFailure.objects.filter(region=results[0].region, state__in=up)
    return set(failures.values_list("state_id", flat=True))


def _is_quiet(result: ProbeResult, quiet: set[tuple[int, datetime]], failing: set[int]) -> bool:
    if result.round_id is not None or (result.outcome == "up" and result.monitor_id in failing):
        return False
    return _slot(result) in quiet


def _touch(cursor: Any, results: list[ProbeResult]) -> set[tuple[int, datetime]]:
    """Note the quiet ones among scheduled `results` in their monitors' states; return their slots."""
    columns = [
        [result.monitor_id for result in results],
        [result.config_version for result in results],
        [from_unix_ms(result.scheduled_at_ms) for result in results],
        [result.outcome for result in results],
        [from_unix_ms(result.started_at_ms) for result in results],
    ]
    cursor.execute(QUIET, columns)
    return {(monitor_id, scheduled_at.astimezone(UTC)) for monitor_id, scheduled_at in cursor.fetchall()}


def _slot(result: ProbeResult) -> tuple[int, datetime]:
    return result.monitor_id, from_unix_ms(result.scheduled_at_ms)


def _columns(results: Sequence[ProbeResult]) -> list[list[Any]]:
    return [list(column) for column in zip(*(_row(result) for result in results), strict=True)]


def _row(result: ProbeResult) -> tuple[Any, ...]:
    return (
        result.monitor_id,
        from_unix_ms(result.scheduled_at_ms),
        result.region,
        result.round_id or 0,
        result.attempt,
        result.outcome,
        from_unix_ms(result.started_at_ms),
        result.total_ms,
        storable(result.error_class, 32),
        storable(result.error, LONGEST_ERROR),
        result.status_code,
        storable(result.address, 64),
        result.family,
        result.dns_ms,
        result.connect_ms,
        result.tls_ms,
        result.ttfb_ms,
        result.download_ms,
        from_unix_ms(result.certificate.chain_expires_at_ms) if result.certificate else None,
    )


def storable(text: str, longest: int) -> str:
    """`text` as PostgreSQL takes it: a hostile target's NUL or lone surrogate must not cost the batch."""
    return text.replace("\0", "").encode(errors="replace").decode()[:longest]
