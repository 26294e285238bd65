"""Step 8: what the probes saw, stored in bulk; the quiet case ends here."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import msgspec
from django.db import connection

from monitors.models import Evidence
from probes.messages import ProbeResult
from probes.resolver import is_address

LONGEST = {"error_class": 32, "error": 500, "address": 64}

# The results travel as one JSON text, for to make arrays of them, a column each, took as long as all else
# that Python does here.
ANSWER = """
WITH answer AS MATERIALIZED (
    SELECT ordinality, monitor_id, config_version, coalesce(round_id, 0) AS round_id,
           coalesce(attempt, 1) AS attempt, region, outcome,
           to_timestamp(scheduled_at_ms / 1000::float8) AS scheduled_at,
           to_timestamp(started_at_ms / 1000::float8) AS started_at, coalesce(total_ms, 0) AS total_ms,
           coalesce(error_class, '') AS error_class, coalesce(error, '') AS error, status_code,
           coalesce(address, '') AS address, family, dns_ms, connect_ms, tls_ms, ttfb_ms, download_ms,
           to_timestamp((certificate ->> 'chain_expires_at_ms')::bigint / 1000::float8) AS cert_expires_at
    FROM ROWS FROM (json_to_recordset(%s) AS (
        monitor_id bigint, config_version int, round_id bigint, attempt smallint, region text, outcome text,
        scheduled_at_ms bigint, started_at_ms bigint, total_ms float8, error_class text, error text,
        status_code int, address text, family smallint, dns_ms float8, connect_ms float8, tls_ms float8,
        ttfb_ms float8, download_ms float8, certificate json)) WITH ORDINALITY
)"""
INSERT = """
INSERT INTO monitors_evidence (
    monitor_id, scheduled_at, region, round_id, attempt, outcome, started_at, total_ms, error_class,
    error, status_code, address, family, dns_ms, connect_ms, tls_ms, ttfb_ms, download_ms,
    cert_expires_at)
SELECT monitor_id, scheduled_at, region, round_id, attempt, outcome, started_at, total_ms, error_class,
       error, status_code, address, family, dns_ms, connect_ms, tls_ms, ttfb_ms, download_ms,
       cert_expires_at
FROM answer
ON CONFLICT DO NOTHING
"""

# Quiet is what agrees with the state, or says nothing of the target: the row's status is compared in the
# same breath in which the row is written. It returns the others, by their place in the message.
QUIET = """
), quiet AS (
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
    FROM answer
    WHERE answer.round_id = 0
      AND state.monitor_id = answer.monitor_id AND state.config_version = answer.config_version
      AND (state.status = answer.outcome OR answer.outcome IN ('missed', 'error'))
      AND state.awaited_slot IS DISTINCT FROM answer.scheduled_at
    RETURNING state.monitor_id, answer.scheduled_at
)
SELECT ordinality FROM answer
WHERE round_id <> 0
   OR NOT EXISTS (SELECT FROM quiet
                  WHERE quiet.monitor_id = answer.monitor_id AND quiet.scheduled_at = answer.scheduled_at)
   OR outcome = 'up' AND EXISTS (SELECT FROM monitors_regionalfailure
                                 WHERE state_id = answer.monitor_id AND region = answer.region)
ORDER BY ordinality
"""
RECORD = "".join((ANSWER, ", stored AS (", INSERT, QUIET))
"""One statement a message, and no lock of its own."""


def record_evidence(results: Sequence[ProbeResult]) -> list[ProbeResult]:
    """Store `results` of one region, each once whatever is delivered twice; return those that are not quiet.

    Not quiet is a result of a round, an up or down that disagrees with the monitor's state, an up that ends
    a failure of this region alone, and the answer of a probe that was suspected.
    """
    if not results:
        return []
    # The order in which rows are locked is the same for all who lock many: nobody waits for each other.
    ordered = [storable_result(result) for result in sorted(results, key=attrgetter("monitor_id"))]
    with connection.cursor() as cursor:
        cursor.execute(RECORD, [_sent(ordered)])
        return [ordered[number - 1] for (number,) in cursor.fetchall()]


def store_evidence(results: Sequence[ProbeResult]) -> None:
    """Store `results`, each once, and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(ANSWER + INSERT, [_sent([storable_result(result) for result in results])])


def latest(monitor_id: int, limit: int) -> list[Evidence]:
    """The newest evidence of a monitor that says up or down, newest first."""
    votes = Evidence.objects.filter(monitor_id=monitor_id, outcome__in=["up", "down"])
    return list(votes.order_by("-scheduled_at", "-started_at")[:limit])


def _sent(results: Sequence[ProbeResult]) -> str:
    return msgspec.json.encode(results).decode()


def storable_result(result: ProbeResult) -> ProbeResult:
    """The result with texts that PostgreSQL takes; nearly always itself."""
    if not result.error_class and not result.error and is_address(result.address):
        return result
    texts = {name: getattr(result, name) for name in LONGEST}
    fitting = {name: storable(text, LONGEST[name]) for name, text in texts.items()}
    return result if fitting == texts else msgspec.structs.replace(result, **fitting)


def storable(text: str, longest: int) -> str:
    """`text` as PostgreSQL takes it: a hostile target's NUL or lone surrogate must not cost the batch."""
    return text.replace("\0", "").encode(errors="replace").decode()[:longest]
