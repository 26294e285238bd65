"""The life of a monitor: created, edited, paused, resumed, deleted, with all that belongs to it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import Account
from incidents import records
from incidents.case import Decision, IncidentType, Resolution
from incidents.confirmation import cancel_round
from incidents.deciding import begin
from incidents.services import resolve_incident
from monitors import heartbeats
from monitors.assignments import assign, forget_reports, is_assigned
from monitors.models import Evidence, Monitor, MonitorState, RegionHour, WatchedPeriod
from monitors.regions import voting_regions
from monitors.status import Status
from webhooks.services import remove_subject

PROBED_FIELDS = ("url", "timeout_ms", "options")
"""What a probe is told: a change makes the votes of the old configuration void."""
SERVERS = "servers"
"""Not a field, but who looks changes as much as what is looked at."""

SECRET = "heartbeat_secret"  # noqa: S105  # the name of a field
"""Among a monitor's fields, but kept in its heartbeat: what pings must bring, or None."""


class DuplicateMonitor(Exception):
    """The account has a monitor of this type on this URL."""


class MonitorLimitReached(Exception):
    """The account has as many monitors as it may."""


def create_monitor(
    account: Account, fields: dict[str, Any], now: datetime, servers: Collection[int] = ()
) -> Monitor:
    """Create a monitor from its model `fields`, and have regions look at it at once.

    With `servers`, ids of the account's own, their agents look at it and no region does. Raises
    `DuplicateMonitor`, `MonitorLimitReached` and `UnknownServer`.
    """
    with transaction.atomic():
        limit = Account.objects.select_for_update().get(pk=account.pk).monitor_limit
        if account.monitors.count() >= limit:
            raise MonitorLimitReached
        own, secrets = _parted(fields)
        monitor = _save(Monitor(account=account, created_at=now, updated_at=now, **own))
        if monitor.type == heartbeats.TYPE:
            heartbeats.make_heartbeat(monitor, secrets.get(SECRET))
        if servers:
            assign(monitor, servers)
        state = MonitorState(monitor=monitor, status_since=now, interval_seconds=monitor.interval_seconds)
        _schedule(state, now)
        state.save(force_insert=True)
        _watch(monitor, now)
        _look_at_once(state, now)
    return monitor


@transaction.atomic
def update_monitor(
    monitor: Monitor, changes: dict[str, Any], now: datetime, servers: Collection[int] | None = None
) -> Monitor:
    """Apply `changes` to model fields. Raises `DuplicateMonitor` and `UnknownServer`.

    A change of what is probed voids the open round and is looked at at once; the state stays until a
    verdict. Pausing ends the open incident; resuming starts from no knowledge. `servers` replaces those
    that look at the monitor; none of them hands it to the regions.
    """
    record = records.lock(monitor.pk, now)
    if record is None:
        raise Monitor.DoesNotExist
    state, monitor = record.state, record.state.monitor
    own, secrets = _parted(changes)
    changed = {name for name, value in own.items() if getattr(monitor, name) != value}
    for name in changed:
        setattr(monitor, name, changes[name])
    monitor.updated_at = now
    _save(monitor)
    if servers is not None and assign(monitor, servers):
        changed.add(SERVERS)
    _follow(state, changed, now)
    if secrets:
        heartbeats.set_secret(monitor, secrets[SECRET])
    return monitor


@transaction.atomic
def delete_monitor(monitor: Monitor, now: datetime) -> None:
    """Delete a monitor with all that belongs to it."""
    records.lock(monitor.pk, now)
    remove_subject(monitor.pk)
    Evidence.objects.filter(monitor_id=monitor.pk).delete()
    RegionHour.objects.filter(monitor_id=monitor.pk).delete()
    monitor.delete()


def _follow(state: MonitorState, changed: set[str], now: datetime) -> None:
    """Bring the state in line with what changed in its monitor."""
    is_new_grid = state.interval_seconds != state.monitor.interval_seconds
    state.interval_seconds = state.monitor.interval_seconds
    is_other = bool(changed.intersection((*PROBED_FIELDS, SERVERS)))
    if "enabled" in changed or is_other:
        state.config_version += 1
        state.consecutive_fails = 0
        cancel_round(state.pk, now)
        forget_reports(state.monitor)
        state.regional_failures.all().delete()
    if is_other or "muted_events" in changed:
        state.cert_warned_until = None
    if is_new_grid or changed.intersection(("enabled", SERVERS)):
        _schedule(state, now)
    if is_other and state.scheduled_since and "enabled" not in changed:
        state.extra_check_at = now
    if state.monitor.type == heartbeats.TYPE:
        _follow_heartbeat(state.monitor, changed, now)
    if "enabled" in changed:
        _watch(state.monitor, now)
        _forget(state, now)
    state.save()
    if "enabled" in changed:
        _look_at_once(state, now)


def _watch(monitor: Monitor, now: datetime) -> None:
    """Note since when a monitor is enabled, or that it no longer is."""
    if monitor.enabled:
        WatchedPeriod.objects.create(monitor=monitor, began_at=now)
    else:
        WatchedPeriod.objects.filter(monitor=monitor, ended_at=None).update(ended_at=now)


def _follow_heartbeat(monitor: Monitor, changed: set[str], now: datetime) -> None:
    """Bring the heartbeat in line with what changed in its monitor."""
    if "enabled" in changed:
        (heartbeats.resume if monitor.enabled else heartbeats.pause)(monitor)
    elif changed.intersection(("interval_seconds", "options")):
        heartbeats.look_again(monitor, now)


def _forget(state: MonitorState, now: datetime) -> None:
    """End what lasts when a monitor is paused; forget what was believed when it is resumed."""
    state.flapping_since = None
    for type_ in IncidentType:
        resolve_incident(state.pk, type_, Resolution.PAUSED, now)
    if state.monitor.enabled:
        state.status, state.status_since = Status.UNKNOWN, now


def _look_at_once(state: MonitorState, now: datetime) -> None:
    """Open the round for first knowledge of a monitor that regions look at."""
    if state.scheduled_since:
        case = records.load(state, now)
        records.save(records.Record(state, case), Decision(begin(case, voting_regions(now), now)), now)


def _schedule(state: MonitorState, now: datetime) -> None:
    """Have its slots looked at from now on, or no more what no region looks at."""
    state.scheduled_since = now if _is_looked_at(state.monitor) else None
    state.extra_check_at = state.extra_check_at if state.scheduled_since else None


def _is_looked_at(monitor: Monitor) -> bool:
    """Whether regions look at it: not at what is disabled, reports by itself, or is left to agents."""
    return monitor.enabled and monitor.type != heartbeats.TYPE and not is_assigned(monitor)


def _parted(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a monitor's own row, and the secret of its heartbeat if it is among them."""
    own = {name: value for name, value in fields.items() if name != SECRET}
    return own, {name: value for name, value in fields.items() if name == SECRET}


def _save(monitor: Monitor) -> Monitor:
    try:
        with transaction.atomic():
            monitor.save()
    except IntegrityError as error:
        raise DuplicateMonitor from error
    return monitor
