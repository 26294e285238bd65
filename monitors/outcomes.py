"""What checks came to: of each, what most of its probes saw.

A check is one probe while all is quiet, and several once a round asks others: then one region that fails
alone must not make it look failed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from monitors.models import Evidence

VOTES = ("up", "down")
MOST_PROBES = 10
"""So many of the newest probes hold all of the newest check, for it has no more."""

NEWEST = """
SELECT evidence.* FROM unnest(%s::bigint[]) AS asked (id) CROSS JOIN LATERAL (
    SELECT * FROM monitors_evidence WHERE monitor_id = asked.id AND outcome IN ('up', 'down')
    ORDER BY scheduled_at DESC LIMIT %s
) AS evidence
"""


def last_checks(monitor_ids: Sequence[int]) -> dict[int, Evidence]:
    """By monitor, what its newest check came to; one query for all of them."""
    newest = newest_probes(monitor_ids)
    return {monitor_id: _of_each_check(probes)[0] for monitor_id, probes in newest.items()}


def newest_probes(monitor_ids: Sequence[int]) -> dict[int, list[Evidence]]:
    """By monitor, its newest probes that say up or down, newest first; one query for all of them."""
    newest: defaultdict[int, list[Evidence]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, [list(monitor_ids), MOST_PROBES])
        names = [column.name for column in cursor.description]
        for row in cursor:
            probe = Evidence(**dict(zip(names, row, strict=True)))
            newest[probe.monitor_id].append(probe)
    return newest


def check_page(monitor_id: int, limit: int, offset: int) -> tuple[list[Evidence], int]:
    """What this part of a monitor's checks came to, newest first, and how many checks there are."""
    votes = Evidence.objects.filter(monitor_id=monitor_id, outcome__in=VOTES)
    slots = votes.values_list("scheduled_at", flat=True).distinct().order_by("-scheduled_at")
    page = list(slots[offset : offset + limit])
    return _of_each_check(votes.filter(scheduled_at__in=page)), slots.count()


def most_saw(probes: Sequence[Evidence]) -> Evidence:
    """The probe that stands for its check: of the commonest outcome, and of equals the scheduled one."""
    seen = Counter(probe.outcome for probe in probes)
    return min(probes, key=lambda each: (-seen[each.outcome], each.round_id, each.attempt, each.started_at))


def _of_each_check(probes: Iterable[Evidence]) -> list[Evidence]:
    checks: defaultdict[datetime, list[Evidence]] = defaultdict(list)
    for probe in probes:
        checks[probe.scheduled_at].append(probe)
    return [most_saw(checks[slot]) for slot in sorted(checks, reverse=True)]
