"""/monitors: create, list, get, update, delete."""

from __future__ import annotations

import time
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.limits import Bucket
from accounts.models import Account
from api.base import View, body_of, path_id
from api.dialects.native import monitors as native
from api.errors import Refusal
from api.limits import take_or_refuse
from incidents.confirmation import open_round_of
from incidents.lifecycle import (
    DuplicateMonitor,
    MonitorLimitReached,
    create_monitor,
    delete_monitor,
    update_monitor,
)
from monitors.dispatch import look_now
from monitors.evidence import latest
from monitors.models import Evidence, KillSwitch, Monitor, MonitorState
from monitors.portscan import note_port
from monitors.regions import live_regions
from monitors.targets import TARGETS, host_of
from probes.messages import SslTarget, TcpTarget, UdpTarget

EVIDENCE_SHOWN = 10
WAITED_FOR = ("http", "keyword", "ssl")
"""The types whose first verdict a create waits for; of the others the contract says `unknown`."""
LONGEST_WAIT_SECONDS = 5.0
POLL_SECONDS = 0.05
KILL_SWITCH_RETRY_SECONDS = 60
TESTS_OF_A_MONITOR = Bucket("tests-of-monitor", 1, window_seconds=10)
TESTS_OF_A_DOMAIN = Bucket("tests-of-domain", 30, window_seconds=60)


class MonitorList(View):
    resource = "monitors"

    def get(self, request: Request) -> Response:
        """All of the account's monitors; filters are accepted and ignored, as the contract says."""
        return Response([native.listed_monitor_body(monitor) for monitor in owned(self.account)])

    def post(self, request: Request) -> Response:
        """Create a monitor and wait, a bounded time, for its first verdict."""
        fields = native.new_monitor_fields(body_of(request), self.account)
        try:
            monitor = create_monitor(self.account, fields, timezone.now())
        except DuplicateMonitor as error:
            raise Refusal(409, "monitor for this URL already exists") from error
        except MonitorLimitReached as error:
            raise Refusal(409, "monitor limit reached") from error
        target = TARGETS[monitor.type](monitor.url, monitor.options)
        if isinstance(target, TcpTarget | SslTarget | UdpTarget):
            note_port(self.account, target.host, target.port, timezone.now())
        if monitor.type in WAITED_FOR:
            await_first_verdict(monitor.pk)
        return whole(monitor)


class MonitorDetail(View):
    resource = "monitors"

    def get(self, request: Request, id_text: str) -> Response:
        """The monitor, its state and its newest evidence."""
        return whole(find(self.account, id_text))

    def put(self, request: Request, id_text: str) -> Response:
        """Change the fields given; the others keep their values."""
        monitor = find(self.account, id_text)
        changes = native.changed_monitor_fields(body_of(request), monitor)
        try:
            return whole(update_monitor(monitor, changes, timezone.now()))
        except DuplicateMonitor as error:
            raise Refusal(409, "monitor for this URL already exists") from error
        except Monitor.DoesNotExist as error:
            raise Refusal(404, "monitor not found") from error

    def delete(self, request: Request, id_text: str) -> Response:
        """Delete the monitor with its webhook, its incidents and its evidence."""
        delete_monitor(find(self.account, id_text), timezone.now())
        return Response(status=204)


class MonitorTest(View):
    resource = "monitors"

    def post(self, request: Request, id_text: str) -> Response:
        """Look at the monitor now, and wait a bounded time for what is seen."""
        monitor = find(self.account, id_text)
        if KillSwitch.objects.exists():
            body = {"error": "kill_switch_active", "message": "check dispatches temporarily disabled"}
            return Response(body, status=503, headers={"Retry-After": str(KILL_SWITCH_RETRY_SECONDS)})
        take_or_refuse(TESTS_OF_A_MONITOR, str(monitor.pk), "too many tests for this monitor")
        host = host_of(TARGETS[monitor.type](monitor.url, monitor.options))
        take_or_refuse(TESTS_OF_A_DOMAIN, host, "domain rate limit exceeded")
        now = timezone.now()
        if regions := live_regions(now):
            await_evidence(monitor.pk, look_now(monitor, regions, now))
        return whole(monitor)


def owned(account: Account) -> QuerySet[Monitor]:
    """The account's monitors with their states, oldest first."""
    return account.monitors.select_related("state").order_by("pk")


def find(account: Account, id_text: str) -> Monitor:
    """The account's monitor with this id; refuses with the contract's 400 and 404."""
    monitor = owned(account).filter(pk=path_id(id_text, "invalid monitor ID")).first()
    if monitor is None:
        raise Refusal(404, "monitor not found")
    return monitor


def whole(monitor: Monitor) -> Response:
    """The monitor in its envelope."""
    state = MonitorState.objects.get(pk=monitor.pk)
    return Response(native.envelope(monitor, state, latest(monitor.pk, EVIDENCE_SHOWN)))


def await_evidence(monitor_id: int, slot: datetime) -> None:
    """Wait until the look at `slot` was stored, `LONGEST_WAIT_SECONDS` at most."""
    seen = Evidence.objects.filter(monitor_id=monitor_id, scheduled_at=slot)
    end = time.monotonic() + LONGEST_WAIT_SECONDS
    while not seen.exists() and time.monotonic() < end:
        time.sleep(POLL_SECONDS)


def await_first_verdict(monitor_id: int) -> None:
    """Wait until the round that a create opened is closed, `LONGEST_WAIT_SECONDS` at most."""
    end = time.monotonic() + LONGEST_WAIT_SECONDS
    while open_round_of(monitor_id) is not None and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
