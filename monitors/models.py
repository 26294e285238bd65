"""Monitors, what we believe of them now, the leases of their checks, and the evidence of their probes."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5

from accounts.models import Account, Server
from monitors.scheduled import Schedule, Scheduled  # noqa: F401  # so that Django knows them
from monitors.status import Status


class Monitor(models.Model):
    """What a customer configured. Rarely written; what changes with every check is in `MonitorState`."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="monitors")
    name = models.CharField(max_length=255)
    url = models.CharField(max_length=2048)
    type = models.CharField(max_length=16)
    interval_seconds = models.PositiveIntegerField()
    timeout_ms = models.PositiveIntegerField()
    confirmation_count = models.PositiveSmallIntegerField(default=1)
    """So many checks in a row must each be confirmed as failed before the monitor is down."""
    options = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    """What only this type has, such as `expected_status` and `body_match` of http."""
    enabled = models.BooleanField(default=True)
    muted_events = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    """The types of event that nobody is told of."""
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            # A digest, because an index entry holds 2,704 bytes and a URL of the longest may need more.
            models.UniqueConstraint("account", "type", MD5("url"), name="monitor_once_per_account"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class MonitorState(models.Model):
    """What we believe of a monitor now, and since when it is looked at: the narrow row of every result.

    A check changes nothing that is indexed, so recording it is a heap-only update. See also `Scheduled`.
    """

    monitor = models.OneToOneField(Monitor, on_delete=models.CASCADE, primary_key=True, related_name="state")
    status = models.CharField(
        max_length=8, choices=[(each.value, each.value) for each in Status], default=Status.UNKNOWN.value
    )
    status_since = models.DateTimeField()
    sequence = models.PositiveIntegerField(default=0)
    """The number of transitions so far; receivers of events order by it."""
    config_version = models.PositiveIntegerField(default=1)
    """Goes up with every edit; results of an older configuration are evidence, never votes."""
    interval_seconds = models.PositiveIntegerField()
    """The interval in force."""
    scheduled_since = models.DateTimeField(null=True)
    """Those slots of the interval in force are looked at that are later; null while no region looks."""
    extra_check_at = models.DateTimeField(null=True)
    """A check that is due before the next slot, off the grid; nearly always null."""
    awaited_slot = models.DateTimeField(null=True)
    """The slot whose probe took so long that others were asked: its answer is still to be heeded."""
    awaited_region = models.CharField(max_length=32, blank=True)
    last_scheduled_at = models.DateTimeField(null=True)
    """The newest slot that was answered, by whatever outcome; older answers change nothing."""
    last_check_at = models.DateTimeField(null=True)
    """When a probe last said up or down."""
    flapping_since = models.DateTimeField(null=True)
    """Set while the status changes too often to be believed; then `flapping` is shown for it."""
    calm_since = models.DateTimeField(null=True)
    """When flapping last ended."""
    consecutive_fails = models.PositiveIntegerField(default=0)
    """The checks that failed since one last did not; one that says nothing is passed over."""
    cert_warned_until = models.DateTimeField(null=True)
    """When the certificate ends of which was last told that it soon does."""
    missed_checks = models.PositiveBigIntegerField(default=0)
    """Slots that were slept through or begun too late: of unknown outcome, and never downtime."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(interval_seconds__gte=1), name="state_interval_positive"),
        ]
        indexes = [
            models.Index(
                fields=["extra_check_at"], name="state_extra", condition=Q(extra_check_at__isnull=False)
            ),
            models.Index(fields=["status_since"], name="state_down", condition=Q(status="down")),
        ]

    def __str__(self) -> str:
        return f"{self.monitor_id}: {self.status}"


class RegionalFailure(models.Model):
    """A region that alone sees a monitor fail: part of its state for as long as it lasts."""

    state = models.ForeignKey(MonitorState, on_delete=models.CASCADE, related_name="regional_failures")
    region = models.CharField(max_length=32)
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    error_class = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state", "region"], name="one_failure_per_region"),
        ]

    def __str__(self) -> str:
        return f"{self.state_id} from {self.region}: {self.error_class}"


class Heartbeat(models.Model):
    """Of a monitor that is not looked at but reports by itself: its credentials, and the last that it said.

    A ping changes no indexed column, so that recording one is a heap-only update: `alarm_at` stays where
    it is, and is moved when it rings.
    """

    monitor = models.OneToOneField(
        Monitor, on_delete=models.CASCADE, primary_key=True, related_name="heartbeat"
    )
    token_digest = models.CharField(max_length=64, unique=True)
    sealed_token = models.CharField(max_length=512)
    sealed_secret = models.CharField(max_length=1024, blank=True)
    """What a ping must bring as `X-Secret`; empty: nothing."""
    last_ping_at = models.DateTimeField(null=True)
    last_run_ms = models.FloatField(default=0)
    """How long the run took that the last ping ended; 0 where its start was not reported."""
    run_started_at = models.DateTimeField(null=True)
    """Since when a run goes on; null when none does, as far as was told."""
    alarm_at = models.DateTimeField(null=True, db_index=True)
    """When to see whether the next ping is overdue; null while none is waited for."""
    is_quiet = models.BooleanField(default=False)
    """Whether a good ping changes nothing. Here, because an update that waited for this row's lock reads
    this row again, and no other."""

    def __str__(self) -> str:
        return f"heartbeat of {self.monitor_id}"


class Assignment(models.Model):
    """A monitor that a server's agent looks at. One with assignments is never asked of regions."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="assignments")
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="assignments")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["monitor", "server"], name="one_assignment_per_server"),
        ]

    def __str__(self) -> str:
        return f"{self.monitor_id} from server {self.server_id}"


class Report(models.Model):
    """What an agent last saw of a monitor: the narrow row that each of its looks touches."""

    assignment = models.OneToOneField(
        Assignment, on_delete=models.CASCADE, primary_key=True, related_name="report"
    )
    outcome = models.CharField(max_length=8)
    checked_at = models.DateTimeField()
    streak = models.PositiveIntegerField()
    """So many looks in a row had this outcome, or more."""
    total_ms = models.FloatField()
    status_code = models.IntegerField(null=True)
    error_class = models.CharField(max_length=32)
    error = models.TextField()
    cert_expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.assignment_id}: {self.outcome}"


class Lease(models.Model):
    """The claim of one batch: checks with no evidence when it runs out were lost with their worker.

    One row a batch, because one a check would have to be indexed, and written twice.
    """

    region = models.CharField(max_length=32)
    attempt = models.PositiveSmallIntegerField()
    expires_at = models.DateTimeField(db_index=True)
    monitor_ids = ArrayField(models.BigIntegerField())
    slots_ms = ArrayField(models.BigIntegerField())
    """Of each of these, in Unix milliseconds."""

    def __str__(self) -> str:
        return f"{len(self.monitor_ids)} checks in {self.region}"


class Region(models.Model):
    """A vantage point, as its workers last reported it."""

    name = models.CharField(max_length=32, primary_key=True)
    last_seen_at = models.DateTimeField()
    worker = models.CharField(max_length=255)
    in_flight = models.PositiveIntegerField()
    clock_ahead_ms = models.IntegerField(default=0)
    """How far its worker's clock was ahead of the core's, less the way of the report."""
    sick = models.CharField(max_length=255, blank=True)
    """Why its canaries say that it cannot see the world; empty while they are well."""
    suspect_since = models.DateTimeField(null=True, blank=True)
    """Since when most of what it looks at fails for it alone; until then its failures are no votes."""

    def __str__(self) -> str:
        return self.name


class OperatorEvent(models.Model):
    """Something that the operator should know, and no customer: at most one of a kind is open."""

    kind = models.CharField(max_length=64)
    detail = models.TextField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=Q(ended_at=None), name="one_open_event_per_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} since {self.began_at}"


class KillSwitch(models.Model):
    """While its one row exists no region is asked anything, whoever's monitor it is."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    engaged_at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(max_length=255)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_kill_switch")]
        verbose_name_plural = "kill switch"

    def __str__(self) -> str:
        return f"engaged: {self.reason}"


class OptOut(models.Model):
    """A domain whose owner does not want to be monitored; it covers the names below it."""

    domain = models.CharField(max_length=253, unique=True)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.domain


class PortTried(models.Model):
    """A port of a host that an account lately had a monitor on; see `portscan`."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField()
    tried_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "host", "port"], name="one_row_per_port"),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Pulse(models.Model):
    """The newest run of a periodic task, and since when it has run without a gap."""

    name = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"


class Evidence(models.Model):
    """The stored result of one probe. Partitioned by day of `scheduled_at`, so that retention is a DROP.

    No foreign keys: at this rate each would cost a lookup a row, and a late result of a deleted
    monitor is harmless. `round_id` is 0 for a scheduled probe, because a key column cannot be null.
    """

    pk = models.CompositePrimaryKey("monitor_id", "scheduled_at", "region", "round_id", "attempt")
    monitor_id = models.BigIntegerField()
    scheduled_at = models.DateTimeField()
    region = models.CharField(max_length=32)
    round_id = models.BigIntegerField()
    attempt = models.SmallIntegerField()
    outcome = models.CharField(max_length=8)
    started_at = models.DateTimeField()
    total_ms = models.FloatField()
    error_class = models.CharField(max_length=32)
    error = models.TextField()
    status_code = models.IntegerField(null=True)
    address = models.CharField(max_length=64)
    family = models.SmallIntegerField(null=True)
    """4 or 6: of `address`."""
    dns_ms = models.FloatField(null=True)
    connect_ms = models.FloatField(null=True)
    tls_ms = models.FloatField(null=True)
    ttfb_ms = models.FloatField(null=True)
    download_ms = models.FloatField(null=True)
    cert_expires_at = models.DateTimeField(null=True)
    """When the first of the certificates that were presented ends."""

    class Meta:
        managed = False
        db_table = "monitors_evidence"
        verbose_name_plural = "evidence"

    def __str__(self) -> str:
        return f"{self.monitor_id} from {self.region}: {self.outcome}"


class RegionHour(models.Model):
    """What one region saw of a monitor in one hour: the evidence, rolled up. Partitioned by month.

    Counts are of scheduled checks. Latency is that of those that were up; null where none was.
    """

    pk = models.CompositePrimaryKey("monitor_id", "hour", "region")
    monitor_id = models.BigIntegerField()
    hour = models.DateTimeField()
    region = models.CharField(max_length=32)
    checks = models.SmallIntegerField()
    """Those that said up or down."""
    failures = models.SmallIntegerField()
    """Of these, down."""
    missed = models.SmallIntegerField()
    errors = models.SmallIntegerField()
    p50_ms = models.FloatField(null=True)
    p95_ms = models.FloatField(null=True)
    max_ms = models.FloatField(null=True)

    class Meta:
        managed = False
        db_table = "monitors_regionhour"

    def __str__(self) -> str:
        return f"{self.monitor_id} from {self.region} in {self.hour}: {self.checks}"


class Rollup(models.Model):
    """How far a rollup has come: all hours before `until` are done."""

    name = models.CharField(max_length=32, primary_key=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} until {self.until}"


class WatchedPeriod(models.Model):
    """A time in which a monitor was enabled: what its uptime is a share of."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="watched")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["monitor"], condition=Q(ended_at=None), name="one_open_watched_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.monitor_id} since {self.began_at}"
