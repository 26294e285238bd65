"""What agents saw: stored as evidence, so many a second, and the newest look of each server beside it.

A few statements a heartbeat, however many monitors it tells of, and no lock: what disagrees with a state is
handed back, to be settled under the lock of each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import Server
from monitors.assignments import region_of
from monitors.evidence import LONGEST, storable, store_evidence
from monitors.models import Assignment, MonitorState, RegionalFailure, Report
from probes.instants import from_unix_ms, unix_ms
from probes.messages import ProbeResult

LONGEST_ABSENCE = timedelta(hours=24)
"""Older results are not taken: an agent keeps none for longer."""
CLOCK_SKEW = timedelta(minutes=1)
"""So far in the future a result may lie by the clock of its server."""
NEWEST = 3
"""Of the looks at one monitor that come together: more would not change what they decide."""

# The newest look wins, whatever comes late or twice. A look at an older configuration says nothing.
REPORT = """
INSERT INTO monitors_report AS known (
    assignment_id, outcome, checked_at, streak, total_ms, status_code, error_class, error, cert_expires_at)
SELECT assignment.id, said.outcome, said.checked_at, 1, said.total_ms, said.status_code, said.error_class,
    said.error, said.cert_expires_at
FROM unnest(
    %s::bigint[], %s::int[], %s::text[], %s::timestamptz[], %s::float8[], %s::int[], %s::text[], %s::text[],
    %s::timestamptz[])
    AS said (monitor_id, config_version, outcome, checked_at, total_ms, status_code, error_class, error,
        cert_expires_at)
JOIN monitors_assignment assignment
    ON assignment.monitor_id = said.monitor_id AND assignment.server_id = %s
JOIN monitors_monitorstate state
    ON state.monitor_id = said.monitor_id AND state.config_version = said.config_version
ON CONFLICT (assignment_id) DO UPDATE SET
    outcome = excluded.outcome, checked_at = excluded.checked_at, total_ms = excluded.total_ms,
    streak = CASE WHEN known.outcome = excluded.outcome THEN known.streak + 1 ELSE 1 END,
    status_code = excluded.status_code, error_class = excluded.error_class, error = excluded.error,
    cert_expires_at = excluded.cert_expires_at
WHERE known.checked_at < excluded.checked_at
"""

# While a monitor is down, its failed checks are counted as the schedule's are: one an interval.
TOUCH = """
UPDATE monitors_monitorstate state SET
    last_check_at = greatest(state.last_check_at, said.checked_at),
    consecutive_fails = state.consecutive_fails + (state.status = 'down' AND said.outcome = 'down'
        AND said.slot > state.last_scheduled_at)::int,
    last_scheduled_at = CASE WHEN state.status = 'down' AND said.outcome = 'down'
        THEN greatest(state.last_scheduled_at, said.slot) ELSE state.last_scheduled_at END
FROM (
    SELECT *, date_bin(make_interval(secs => interval_seconds), checked_at, 'epoch') AS slot
    FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::timestamptz[], %s::int[])
        AS said (monitor_id, config_version, outcome, checked_at, interval_seconds)
) AS said
WHERE state.monitor_id = said.monitor_id AND state.config_version = said.config_version
  AND said.outcome IN ('up', 'down')
"""


def record_looks(server: Server, looks: Sequence[ProbeResult], now: datetime) -> list[int]:
    """Store what a server's agent saw; return the monitors of whose state it makes something else.

    The caller has made sure that all of them are assigned to the server.
    """
    timely = [look for look in looks if now - LONGEST_ABSENCE < checked_at(look) <= now + CLOCK_SKEW]
    if not timely:
        return []
    with transaction.atomic():
        store_evidence([_of_its_second(look) for look in timely])
        for wave in _waves(timely):
            _report(server, wave)
        _touch(_newest(timely))
    return _dissenting(server, {look.monitor_id for look in timely})


def reported(assignment: Assignment, report: Report, state: MonitorState) -> ProbeResult:
    """A report as the result that it was."""
    return ProbeResult(
        monitor_id=state.pk,
        config_version=state.config_version,
        scheduled_at_ms=unix_ms(report.checked_at),
        region=region_of(assignment.server_id),
        outcome=report.outcome,  # type: ignore[arg-type]  # it was one when it was stored
        started_at_ms=unix_ms(report.checked_at),
        total_ms=report.total_ms,
        error_class=report.error_class,
        error=report.error,
        status_code=report.status_code,
    )


def checked_at(look: ProbeResult) -> datetime:
    """When a look was, by the clock of its server: with the monitor, that is its identity."""
    return from_unix_ms(look.scheduled_at_ms)


def _of_its_second(look: ProbeResult) -> ProbeResult:
    """The look under its key as evidence: of each second one good is kept and one bad, however many come."""
    second_ms = look.scheduled_at_ms // 1000 * 1000
    return msgspec.structs.replace(look, scheduled_at_ms=second_ms + (look.outcome != "up"))


def _cert_expires_at(look: ProbeResult) -> datetime | None:
    return from_unix_ms(look.certificate.chain_expires_at_ms) if look.certificate else None


def _waves(looks: Iterable[ProbeResult]) -> Iterator[list[ProbeResult]]:
    """The newest looks at each monitor, oldest first, one of each at a time: a streak is counted by each."""
    by_monitor: defaultdict[int, list[ProbeResult]] = defaultdict(list)
    for look in sorted(looks, key=checked_at):
        by_monitor[look.monitor_id].append(look)
    for back in range(NEWEST, 0, -1):
        if wave := [each[-back] for each in by_monitor.values() if len(each) >= back]:
            yield wave


def _newest(looks: Iterable[ProbeResult]) -> list[ProbeResult]:
    ordered = sorted(looks, key=checked_at)
    return list({look.monitor_id: look for look in ordered}.values())


def _report(server: Server, looks: Sequence[ProbeResult]) -> None:
    columns: list[list[Any]] = [
        [look.monitor_id for look in looks],
        [look.config_version for look in looks],
        [look.outcome for look in looks],
        [checked_at(look) for look in looks],
        [look.total_ms for look in looks],
        [look.status_code for look in looks],
        [look.error_class for look in looks],
        [storable(look.error, LONGEST["error"]) for look in looks],
        [_cert_expires_at(look) for look in looks],
    ]
    with connection.cursor() as cursor:
        cursor.execute(REPORT, [*columns, server.pk])


def _touch(looks: Sequence[ProbeResult]) -> None:
    ids = [look.monitor_id for look in looks]
    intervals = dict(MonitorState.objects.filter(pk__in=ids).values_list("pk", "interval_seconds"))
    columns: list[list[Any]] = [
        ids,
        [look.config_version for look in looks],
        [look.outcome for look in looks],
        [checked_at(look) for look in looks],
        [intervals.get(each) for each in ids],
    ]
    with connection.cursor() as cursor:
        cursor.execute(TOUCH, columns)


def _dissenting(server: Server, monitor_ids: Iterable[int]) -> list[int]:
    """The monitors of which the server's newest look says other than their state, or ends a failure."""
    alone = RegionalFailure.objects.filter(state=OuterRef("assignment__monitor"), region=region_of(server.pk))
    disagrees = ~Q(outcome=F("assignment__monitor__state__status"))
    mends = Q(outcome="up") & (Q(assignment__monitor__state__consecutive_fails__gt=0) | Exists(alone))
    reports = Report.objects.filter(
        disagrees | mends,
        assignment__server=server,
        assignment__monitor__in=list(monitor_ids),
        outcome__in=["up", "down"],
    )
    return list(reports.order_by("assignment__monitor").values_list("assignment__monitor", flat=True))
