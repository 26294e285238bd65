"""Which regions live, which of them are to be believed, and what the operator is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db.models import Count, QuerySet

from monitors.models import KillSwitch, MonitorState, Region, RegionalFailure
from monitors.pulse import running_since
from monitors.status import Status
from probes.errors import ErrorClass
from probes.instants import unix_ms
from probes.messages import ProbeResult, RegionBeat

SILENCE = timedelta(seconds=15)
"""A region not heard of for longer is not asked: three of its workers' reports were missed."""
FEWEST_FAILURES = 3
"""One or two monitors that fail in one region are their affair; from three on it may be the region."""
STOPPED = "the kill switch is engaged"


def live_regions(now: datetime) -> list[str]:
    """The regions that look, in the order that they take turns: heard of lately, and with well canaries.

    None while the kill switch is engaged. While the core itself has only just come back, no report could
    have reached it: until it has listened for as long as silence takes, every region counts as alive.
    """
    return [] if KillSwitch.objects.exists() else _known(Region.objects.filter(sick=""), now)


def voting_regions(now: datetime) -> list[str]:
    """The live regions whose votes count: without those that most of their targets fail for alone."""
    return [] if KillSwitch.objects.exists() else _believed(now)


def record_beat(beat: RegionBeat, now: datetime) -> None:
    """Note that a worker of a region reported."""
    Region.objects.update_or_create(
        name=beat.region,
        defaults={
            "last_seen_at": now,
            "worker": beat.worker,
            "in_flight": beat.in_flight,
            "clock_ahead_ms": _bounded(beat.sent_at_ms - unix_ms(now)),
            "sick": beat.sick[:255],
        },
    )


def abstaining(results: Sequence[ProbeResult], region: str) -> list[ProbeResult]:
    """The results of a region, with its failures as errors that do not vote while it is suspect."""
    if not Region.objects.filter(name=region, suspect_since__isnull=False).exists():
        return list(results)
    return [_abstention(result) if result.outcome == "down" else result for result in results]


def judge(now: datetime) -> None:
    """Suspect the regions for which alone most monitors fail; trust them again when most do no more.

    "Most" is more than half to begin, and less than a quarter to end, so that it does not alternate.
    """
    watched = MonitorState.objects.filter(status=Status.UP, scheduled_since__isnull=False).count()
    counts = RegionalFailure.objects.values_list("region").annotate(Count("pk"))
    failing = dict(counts)
    for region in Region.objects.all():
        count = failing.get(region.name, 0)
        if region.suspect_since is None and count >= FEWEST_FAILURES and count * 2 > watched:
            Region.objects.filter(pk=region.pk).update(suspect_since=now)
        elif region.suspect_since is not None and (count * 4 < watched or count < FEWEST_FAILURES):
            Region.objects.filter(pk=region.pk).update(suspect_since=None)


def troubles(now: datetime) -> dict[str, str]:
    """Why each region of this installation that does not vote does not, by its name."""
    believed = set(_believed(now))
    rows = {region.name: region for region in Region.objects.all()}
    own = {name: _trouble(rows.get(name)) for name in settings.REGIONS if name not in believed}
    return dict.fromkeys(settings.REGIONS, STOPPED) | own if KillSwitch.objects.exists() else own


def _believed(now: datetime) -> list[str]:
    return _known(Region.objects.filter(sick="", suspect_since=None), now)


def _known(rows: QuerySet[Region], now: datetime) -> list[str]:
    since = running_since("tick")
    deaf = since is None or now - since < SILENCE
    seen = rows if deaf else rows.filter(last_seen_at__gt=now - SILENCE)
    names = set(seen.values_list("name", flat=True))
    return [name for name in settings.REGIONS if name in names]


def _bounded(milliseconds: int) -> int:
    """Within what the column holds, which is 24 days: a clock may be wrong by years."""
    return max(-(2**31), min(milliseconds, 2**31 - 1))


def _trouble(region: Region | None) -> str:
    if region is None:
        return "no worker has ever reported"
    if region.sick:
        return region.sick
    if region.suspect_since:
        return "most of its targets fail for it alone"
    return f"silent since {region.last_seen_at:%Y-%m-%d %H:%M:%S} UTC"


def _abstention(result: ProbeResult) -> ProbeResult:
    error = f"the region is suspect; it saw {result.error_class}: {result.error}"
    return msgspec.structs.replace(result, outcome="error", error_class=ErrorClass.REGION_SICK, error=error)
