"""What the tests are made of: accounts, monitors, regions and results, at a fixed instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Account, Server
from monitors.heartbeats import make_heartbeat, token_of
from monitors.models import Assignment, Monitor, MonitorState, Pulse, Region, WatchedPeriod
from probes.instants import unix_ms
from probes.messages import ProbeResult

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
REGIONS = ("eu", "us", "ap")


HTTP: dict[str, Any] = {
    "name": "site",
    "url": "http://127.0.0.1:9/",
    "type": "http",
    "interval_seconds": 60,
    "timeout_ms": 10_000,
    "options": {"expected_status": 200},
}
"""What a customer configures of a monitor, unless a test has it otherwise."""


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def account(name: str = "alice") -> Account:
    return Account.objects.create(name=name, created_at=NOW)


def monitor(
    owner: Account | None = None, *, status: str = "up", now: datetime = NOW, **fields: Any
) -> Monitor:
    """A monitor with a state of `status`, whose slots after `NOW` are looked at."""
    values = HTTP | {"created_at": NOW, "updated_at": NOW} | fields
    made = Monitor.objects.create(account=owner or account(), **values)
    MonitorState.objects.create(
        monitor=made,
        status=status,
        status_since=NOW,
        interval_seconds=made.interval_seconds,
        scheduled_since=NOW if made.enabled else None,
    )
    if made.enabled:
        WatchedPeriod.objects.create(monitor=made, began_at=made.created_at)
    return made


def heartbeat(
    owner: Account | None = None, *, secret: str | None = None, **fields: Any
) -> tuple[Monitor, str]:
    """A heartbeat monitor of a minute and a minute's grace that waits for its first ping; and its token."""
    options = {"grace_seconds": 60, "timezone": "UTC"} | fields.pop("options", {})
    values = {"url": "heartbeat:job", "type": "heartbeat", "status": "unknown", "options": options}
    made = monitor(owner, **(values | fields))
    MonitorState.objects.filter(pk=made.pk).update(scheduled_since=None)
    make_heartbeat(made, secret)
    return made, token_of(made)


def server(owner: Account, *, seen: datetime | None = NOW, **fields: Any) -> Server:
    """A server that was enrolled, and whose agent was last heard of at `seen`."""
    values: dict[str, Any] = {"name": "web-01", "created_at": NOW, "enrolled_at": NOW, "last_seen_at": seen}
    return Server.objects.create(account=owner, **(values | fields))


def assigned(*servers: Server, **fields: Any) -> Monitor:
    """A monitor of the servers' account that they look at, and no region."""
    made = monitor(servers[0].account, **fields)
    Assignment.objects.bulk_create(Assignment(monitor=made, server=each) for each in servers)
    MonitorState.objects.filter(pk=made.pk).update(scheduled_since=None)
    return made


def live(*names: str, now: datetime = NOW) -> None:
    """Let just these regions be alive at `now`, with a schedule that has run for an hour."""
    Pulse.objects.update_or_create(name="tick", defaults={"at": now, "since": now - seconds(3600)})
    Region.objects.all().delete()
    Region.objects.bulk_create(
        Region(name=name, last_seen_at=now, worker="test", in_flight=0) for name in names or REGIONS
    )


def result(
    of: Monitor, outcome: str, region: str = "eu", *, at: datetime = NOW, **fields: Any
) -> ProbeResult:
    """What `region` saw of a monitor in its slot at `at`."""
    values: dict[str, Any] = {
        "monitor_id": of.pk,
        "config_version": MonitorState.objects.get(pk=of.pk).config_version,
        "scheduled_at_ms": unix_ms(at),
        "region": region,
        "outcome": outcome,
        "started_at_ms": unix_ms(at),
        "total_ms": 12.5,
        "error_class": "http_5xx" if outcome == "down" else "",
        "status_code": 503 if outcome == "down" else 200,
    }
    return ProbeResult(**(values | fields))
