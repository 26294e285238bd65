"""The installation as metrics, each computed when it is asked for: any web process gives the same answer.

A bounded number of queries, none of which reads evidence. What is counted lies in Redis, and starts again
from zero with it, as Prometheus expects of a counter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import OperationalError
from django.db.models import Count, Min
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from redis.exceptions import RedisError

from accounts import tally
from incidents.models import Round
from monitors import queues, regions, schedules
from monitors.models import KillSwitch, MonitorState, Pulse, Region
from webhooks.models import OPEN, Delivery

COUNTERS = (
    ("probes", ("region", "outcome"), "Results of probes that arrived."),
    ("scheduled_probes", ("region",), "Scheduled probes that arrived, to divide the lag by."),
    ("lag_milliseconds", ("region",), "How late scheduled probes began, summed up."),
    ("rounds", ("verdict",), "Rounds that were closed."),
    ("attempts", ("status",), "Attempts of deliveries, by what became of the delivery."),
)


def collect(now: datetime) -> Iterator[Metric]:
    """All of it. A server that is away is one of the answers."""
    for name, part in (("database", _from_database(now)), ("broker", _from_broker())):
        up = GaugeMetricFamily(f"upquorum_{name}_up", f"Whether the {name} answered.", value=1)
        try:
            yield from list(part)
        except (OperationalError, RedisError):
            up = GaugeMetricFamily(up.name, up.documentation, value=0)
        yield up


def _from_database(now: datetime) -> Iterator[Metric]:
    yield from _regions(now)
    yield from _schedule(now)
    yield from _deliveries(now)
    open_rounds = Round.objects.filter(closed_at=None).count()
    yield GaugeMetricFamily("upquorum_rounds_open", "Rounds that wait for votes.", value=open_rounds)


def _regions(now: datetime) -> Iterator[Metric]:
    troubled = regions.troubles(now)
    votes = GaugeMetricFamily(
        "upquorum_region_voting", "Whether the region's votes count.", labels=["region"]
    )
    for name in settings.REGIONS:
        votes.add_metric([name], int(name not in troubled))
    silent = GaugeMetricFamily(
        "upquorum_region_silence_seconds", "Since a worker of the region last reported.", labels=["region"]
    )
    in_flight = GaugeMetricFamily(
        "upquorum_region_in_flight", "Probes under way in the worker that reported last.", labels=["region"]
    )
    for region in Region.objects.filter(name__in=settings.REGIONS):
        silent.add_metric([region.name], (now - region.last_seen_at).total_seconds())
        in_flight.add_metric([region.name], region.in_flight)
    yield from (votes, silent, in_flight)


def _schedule(now: datetime) -> Iterator[Metric]:
    lag = schedules.lag(now).total_seconds()
    text = "Since when not all is claimed that was due."
    yield GaugeMetricFamily("upquorum_schedule_lag_seconds", text, value=lag)
    tick = Pulse.objects.filter(name="tick").values_list("at", flat=True).first()
    if tick:
        age = (now - tick).total_seconds()
        yield GaugeMetricFamily("upquorum_tick_age_seconds", "Since the last tick.", value=age)
    monitors = GaugeMetricFamily("upquorum_monitors", "Monitors by their status.", labels=["status"])
    for status, count in MonitorState.objects.values_list("status").annotate(Count("pk")).order_by():
        monitors.add_metric([status], count)
    yield monitors
    engaged = int(KillSwitch.objects.exists())
    yield GaugeMetricFamily("upquorum_kill_switch", "Whether nothing is looked at.", value=engaged)


def _deliveries(now: datetime) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("upquorum_deliveries_open", "Deliveries to be made.", labels=["status"])
    counts = dict.fromkeys(OPEN, 0)
    oldest = now
    open_ = Delivery.objects.filter(status__in=OPEN).values_list("status").order_by()
    for status, count, due in open_.annotate(Count("pk"), Min("next_attempt_at")):
        counts[status], oldest = count, min(oldest, due)
    for status, count in counts.items():
        waiting.add_metric([status], count)
    yield waiting
    age = (now - oldest).total_seconds()
    yield GaugeMetricFamily(
        "upquorum_delivery_overdue_seconds", "Since the oldest due delivery was due.", value=age
    )


def _from_broker() -> Iterator[Metric]:
    waiting = GaugeMetricFamily("upquorum_queue_messages", "Messages that wait.", labels=["queue"])
    for queue, depth in queues.depths().items():
        waiting.add_metric([queue], depth)
    yield waiting
    yield from _counters()


def _counters() -> Iterator[Metric]:
    counts: defaultdict[str, dict[tuple[str, ...], int]] = defaultdict(dict)
    for (what, *labels), count in tally.read().items():
        counts[what][tuple(labels)] = count
    for what, label_names, text in COUNTERS:
        family = CounterMetricFamily(f"upquorum_{what}", text, labels=label_names)
        for values, count in counts[what].items():
            family.add_metric(values, count)
        yield family
