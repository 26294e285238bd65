"""/monitors: create, list, get, update, delete, in whichever format; see `api.dialects.format`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.limits import Bucket
from accounts.models import Account
from api.base import View, body_of
from api.dialects.format import MonitorFormat
from api.dialects.native.monitors import FORMAT as NATIVE
from api.errors import Refusal
from api.formats import format_of
from api.limits import take_or_refuse
from incidents.confirmation import open_round_of
from incidents.lifecycle import (
    DuplicateMonitor,
    MonitorLimitReached,
    create_monitor,
    delete_monitor,
    update_monitor,
)
from monitors.assignments import UnknownServer, is_assigned
from monitors.dispatch import look_now
from monitors.models import Evidence, KillSwitch, Monitor
from monitors.portscan import note_port
from monitors.regions import live_regions
from monitors.targets import TARGETS, host_of
from probes.messages import SslTarget, TcpTarget, UdpTarget

WAITED_FOR = ("http", "keyword", "ssl")
"""The types whose first verdict a create waits for; of the others the contract says `unknown`."""
LONGEST_WAIT_SECONDS = 5.0
POLL_SECONDS = 0.05
NO_SERVER = "servers must be ids of your servers"
KILL_SWITCH_RETRY_SECONDS = 60
TESTS_OF_A_MONITOR = Bucket("tests-of-monitor", 1, window_seconds=10)
TESTS_OF_A_DOMAIN = Bucket("tests-of-domain", 30, window_seconds=60)


class MonitorView(View):
    """A view of monitors, in one of the formats."""

    resource = "monitors"

    def wire_format(self) -> MonitorFormat:
        """The format of this request and its answer."""
        return format_of(self.request)

    def find(self, id_text: str) -> Monitor:
        """The account's monitor with this id; refuses as the format has it."""
        return find(self.account, id_text, self.wire_format())


class MonitorList(MonitorView):
    def get(self, request: Request) -> Response:
        """All of the account's monitors; filters are accepted and ignored, as the contract says."""
        format_ = self.wire_format()
        order = "-pk" if format_.newest_first else "pk"
        return Response(format_.many(owned(self.account).filter(format_.shown).order_by(order)))

    def post(self, request: Request) -> Response:
        """Create a monitor and wait, a bounded time, for its first verdict."""
        format_ = self.wire_format()
        fields = format_.new_fields(body_of(request), self.account)
        servers, addresses = fields.pop("servers", ()), fields.pop("addresses", ())
        try:
            monitor = create_monitor(self.account, fields, timezone.now(), servers)
        except DuplicateMonitor as error:
            raise format_.refuse_duplicate() from error
        except MonitorLimitReached as error:
            raise format_.refuse_one_more(self.account) from error
        except UnknownServer as error:
            raise Refusal(400, NO_SERVER, field="servers") from error
        note_port_of(monitor, addresses)
        if monitor.type in WAITED_FOR:
            await_first_verdict(monitor.pk)
        return Response(format_.one(monitor), status=format_.created)


class MonitorDetail(MonitorView):
    def get(self, request: Request, id_text: str) -> Response:
        """The monitor, its state and its newest evidence."""
        return Response(self.wire_format().one(self.find(id_text)))

    def put(self, request: Request, id_text: str) -> Response:
        """Change the fields given; the others keep their values."""
        format_, monitor = self.wire_format(), self.find(id_text)
        changes = format_.changed_fields(body_of(request), monitor)
        servers, addresses = changes.pop("servers", None), changes.pop("addresses", ())
        try:
            changed = update_monitor(monitor, changes, timezone.now(), servers)
        except DuplicateMonitor as error:
            raise format_.refuse_duplicate() from error
        except UnknownServer as error:
            raise Refusal(400, NO_SERVER, field="servers") from error
        except Monitor.DoesNotExist as error:
            raise Refusal(404, format_.missing) from error
        note_port_of(changed, addresses)
        return Response(format_.one(changed))

    def delete(self, request: Request, id_text: str) -> Response:
        """Delete the monitor with its webhook, its incidents and its evidence."""
        delete_monitor(self.find(id_text), timezone.now())
        return Response(status=204)


class MonitorTest(MonitorView):
    def post(self, request: Request, id_text: str) -> Response:
        """Look at the monitor now, and wait a bounded time for what is seen."""
        monitor = self.find(id_text)
        if monitor.type not in TARGETS:
            raise Refusal(400, f"a {monitor.type} monitor cannot be tested: it reports by itself")
        if KillSwitch.objects.exists():
            body = {"error": "kill_switch_active", "message": "check dispatches temporarily disabled"}
            return Response(body, status=503, headers={"Retry-After": str(KILL_SWITCH_RETRY_SECONDS)})
        take_or_refuse(TESTS_OF_A_MONITOR, str(monitor.pk), "too many tests for this monitor")
        host = host_of(TARGETS[monitor.type](monitor.url, monitor.options))
        take_or_refuse(TESTS_OF_A_DOMAIN, host, "domain rate limit exceeded")
        now = timezone.now()
        regions = [] if is_assigned(monitor) else live_regions(now)
        if regions:
            await_evidence(monitor.pk, look_now(monitor, regions, now))
        return Response(self.wire_format().one(monitor))


def owned(account: Account) -> QuerySet[Monitor]:
    """The account's monitors with their states."""
    return account.monitors.select_related("state", "heartbeat")


def find(account: Account, id_text: str, format_: MonitorFormat = NATIVE) -> Monitor:
    """The account's monitor with this id; refuses with the contract's 400 and 404."""
    monitor = owned(account).filter(format_.shown, pk=format_.read_id(id_text)).first()
    if monitor is None:
        raise Refusal(404, format_.missing)
    return monitor


def note_port_of(monitor: Monitor, addresses: Sequence[str]) -> None:
    """Note the port that the account now has a monitor on, where it is one of its own choosing.

    `addresses` are those of its host; there are none where nothing new was looked up.
    """
    if not addresses or is_assigned(monitor):
        return
    target = TARGETS[monitor.type](monitor.url, monitor.options)
    if isinstance(target, TcpTarget | SslTarget | UdpTarget):
        note_port(monitor.account, target.host, target.port, addresses, timezone.now())


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
