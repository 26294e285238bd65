"""An account's monitors as metrics: is it up, how long took the last look, how long lasts its certificate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from accounts.models import Account
from monitors.status import Status

LABELS = ("monitor", "name", "type")

# The newest evidence by the whole of its key, so that one row of one partition is read for each monitor.
MONITORS = """
SELECT monitor.id, monitor.name, monitor.type, state.status, evidence.total_ms, evidence.cert_expires_at
FROM monitors_monitor monitor
JOIN monitors_monitorstate state ON state.monitor_id = monitor.id
LEFT JOIN LATERAL (
    SELECT total_ms, cert_expires_at FROM monitors_evidence
    WHERE monitor_id = monitor.id AND scheduled_at = state.last_scheduled_at AND outcome IN ('up', 'down')
    LIMIT 1
) evidence ON true
WHERE monitor.account_id = %s AND monitor.enabled
ORDER BY monitor.id
"""


def collect(account: Account, now: datetime) -> Iterator[Metric]:
    """What is known of each monitor that is not paused; of what is unknown there is no sample."""
    up = GaugeMetricFamily("upquorum_monitor_up", "1 up, 0 down.", labels=LABELS)
    latency = GaugeMetricFamily("upquorum_monitor_latency_seconds", "Of the last look.", labels=LABELS)
    days = GaugeMetricFamily(
        "upquorum_monitor_certificate_days", "Until the certificate ends.", labels=LABELS
    )
    with connection.cursor() as cursor:
        cursor.execute(MONITORS, [account.pk])
        for id_, name, type_, status, total_ms, expires_at in cursor.fetchall():
            labels = (str(id_), name, type_)
            if status != Status.UNKNOWN:
                up.add_metric(labels, int(status == Status.UP))
            if total_ms is not None:
                latency.add_metric(labels, total_ms / 1000)
            if expires_at is not None:
                days.add_metric(labels, (expires_at - now).total_seconds() / 86_400)
    yield from (up, latency, days)
