"""What an operator wants to know at one glance: each of its queries reads an index or a small table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min
from redis.exceptions import RedisError

from incidents.models import Incident, Round
from monitors import queues, regions, schedules
from monitors.models import KillSwitch, OperatorEvent, Pulse, Region
from monitors.pulse import GAP
from monitors.scheduling import count_due
from staff.base import MOST_COUNTED
from webhooks.models import OPEN, Delivery

SHOWN = 10


@dataclass(frozen=True)
class RegionHealth:
    """A region of this installation; an empty `trouble`: it looks, and its votes count."""

    name: str
    trouble: str
    row: Region | None


@dataclass(frozen=True)
class Late:
    """Work that is waiting past its time: so much, the oldest for so long; `count` stops at a bound."""

    count: int
    for_: timedelta


@dataclass(frozen=True)
class Overview:
    regions: list[RegionHealth]
    tick_age: timedelta | None
    ticks: bool
    kill_switch: KillSwitch | None
    events: list[OperatorEvent]
    incidents: list[Incident]
    incident_count: int
    open_rounds: int
    checks_due: Late
    deliveries_due: Late
    queues: dict[str, int] | None
    """None: the broker did not answer."""


def overview(now: datetime) -> Overview:
    open_incidents = Incident.objects.filter(resolved_at=None)
    tick = Pulse.objects.filter(name="tick").values_list("at", flat=True).first()
    return Overview(
        regions=region_health(now),
        tick_age=now - tick if tick else None,
        ticks=tick is not None and now - tick < GAP,
        kill_switch=KillSwitch.objects.first(),
        events=list(OperatorEvent.objects.filter(ended_at=None).order_by("began_at")),
        incidents=list(open_incidents.select_related("monitor", "account").order_by("-started_at")[:SHOWN]),
        incident_count=open_incidents[:MOST_COUNTED].count(),
        open_rounds=Round.objects.filter(closed_at=None)[:MOST_COUNTED].count(),
        checks_due=_checks_due(now),
        deliveries_due=_deliveries_due(now),
        queues=queue_depths(),
    )


def region_health(now: datetime) -> list[RegionHealth]:
    """The regions of this installation, in the order in which they take turns."""
    rows = {row.name: row for row in Region.objects.all()}
    troubles = regions.troubles(now)
    return [RegionHealth(name, troubles.get(name, ""), rows.get(name)) for name in settings.REGIONS]


def queue_depths() -> dict[str, int] | None:
    """How many messages wait in each queue; None while the broker is away."""
    try:
        return queues.depths()
    except RedisError:
        return None


def _checks_due(now: datetime) -> Late:
    count = count_due(now, MOST_COUNTED)
    return Late(count, schedules.lag(now) if count else timedelta())


def _deliveries_due(now: datetime) -> Late:
    due = Delivery.objects.filter(status__in=OPEN, next_attempt_at__lte=now)
    oldest = due.aggregate(at=Min("next_attempt_at"))["at"]
    return Late(due[:MOST_COUNTED].count() if oldest else 0, now - (oldest or now))
