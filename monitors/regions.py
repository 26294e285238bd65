"""Which regions live: those whose workers report."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from monitors.models import Region
from monitors.pulse import running_since
from probes.messages import RegionBeat

SILENCE = timedelta(seconds=15)
"""A region not heard of for longer is not asked: three of its workers' reports were missed."""


def live_regions(now: datetime) -> list[str]:
    """The regions to ask, in the order that they take turns.

    While the core itself has only just come back, no report could have reached it: until it has
    listened for as long as silence takes, every region that ever reported counts as alive.
    """
    since = running_since("tick")
    deaf = since is None or now - since < SILENCE
    seen = Region.objects.all() if deaf else Region.objects.filter(last_seen_at__gt=now - SILENCE)
    names = set(seen.values_list("name", flat=True))
    return [name for name in settings.REGIONS if name in names]


def record_beat(beat: RegionBeat, now: datetime) -> None:
    """Note that a worker of a region reported."""
    Region.objects.update_or_create(
        name=beat.region,
        defaults={"last_seen_at": now, "worker": beat.worker, "in_flight": beat.in_flight},
    )
