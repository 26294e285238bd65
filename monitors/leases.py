"""Until when an answer to a batch is waited for; see `monitors.scheduling.claim_lost`."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from django.db import connection

from probes.messages import Batch

# As one JSON text, like results: to adapt two arrays a lease took as long as to plan its checks.
GRANT = """
INSERT INTO monitors_lease (region, attempt, expires_at, monitor_ids, slots_ms)
SELECT region, attempt, to_timestamp(expires_at_ms / 1000::float8), monitor_ids, slots_ms
FROM json_to_recordset(%s) AS (
    region text, attempt smallint, expires_at_ms bigint, monitor_ids bigint[], slots_ms bigint[])
"""


def grant_leases(batches: Iterable[Batch]) -> None:
    """A lease for each batch, none of which is empty; all checks of one are the same attempt."""
    leases = [
        {
            "region": batch.region,
            "attempt": batch.requests[0].attempt,
            "expires_at_ms": batch.expires_at_ms,
            "monitor_ids": [request.monitor_id for request in batch.requests],
            "slots_ms": [request.scheduled_at_ms for request in batch.requests],
        }
        for batch in batches
    ]
    with connection.cursor() as cursor:
        cursor.execute(GRANT, [msgspec.json.encode(leases).decode()])
