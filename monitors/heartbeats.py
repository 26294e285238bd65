"""Pings, as far as they are quiet: one statement each. What the others mean is decided in `incidents`.

Whoever settles something locks the monitor's state first and its heartbeat second; a ping's statement takes
the heartbeat alone, so the two cannot wait for each other.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.tokens import digest_of, random_text
from monitors.models import Heartbeat, Monitor
from monitors.rhythm import SHORTEST_PATIENCE
from probes.errors import Fault
from probes.vault import Vault

TYPE = "heartbeat"
"""The monitors that have one; and where their evidence says that it comes from."""
SCHEME = "hb_"
TOKEN_LENGTH = 32
TOKEN_FIELD = "heartbeat.token"  # noqa: S105  # the name of a field
SECRET_FIELD = "heartbeat.secret"  # noqa: S105

# `alarm_at` stays, so no index is written. The secret is part of the condition: it cannot have changed
# between being compared and being heeded.
PING = """
WITH pinged AS (
    UPDATE monitors_heartbeat SET
        last_ping_at = greatest(last_ping_at, %(now)s),
        last_run_ms = coalesce(greatest(0, extract(epoch FROM %(now)s - run_started_at) * 1000), 0),
        run_started_at = NULL
    WHERE token_digest = %(digest)s AND sealed_secret = %(secret)s
    RETURNING monitor_id, is_quiet, last_run_ms
), evidence AS (
    INSERT INTO monitors_evidence (
        monitor_id, scheduled_at, region, round_id, attempt, outcome, started_at, total_ms,
        error_class, error, address)
    SELECT monitor_id, %(slot)s, 'heartbeat', 0, 1, %(outcome)s, %(now)s, last_run_ms,
        %(error_class)s, %(error)s, ''
    FROM pinged
    ON CONFLICT DO NOTHING
)
SELECT monitor_id, is_quiet, last_run_ms FROM pinged
"""

# A run must end within the grace. Quiet and without an alarm is a monitor that is paused.
START = """
UPDATE monitors_heartbeat heartbeat SET
    run_started_at = %(now)s,
    alarm_at = CASE WHEN is_quiet AND alarm_at IS NULL THEN NULL ELSE least(alarm_at, %(now)s
        + greatest((options->>'grace_seconds')::int * interval '1 second', %(shortest)s)) END
FROM monitors_monitor monitor
WHERE token_digest = %(digest)s AND sealed_secret = %(secret)s AND monitor.id = heartbeat.monitor_id
RETURNING monitor_id
"""

# Where there is no cron expression the next deadline is arithmetic, which `Rhythm.deadline` has as well; a
# test compares the two. Every value comes from the rows that were locked.
MOVE = """
WITH rung AS MATERIALIZED (
    SELECT monitor_id, last_ping_at FROM monitors_heartbeat
    WHERE alarm_at <= %(now)s AND is_quiet AND run_started_at IS NULL
    ORDER BY alarm_at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), next AS (
    SELECT monitor_id, last_ping_at
        + (interval_seconds + (options->>'grace_seconds')::int) * interval '1 second' AS alarm_at
    FROM rung JOIN monitors_monitor monitor ON monitor.id = monitor_id
    WHERE NOT options ? 'cron'
)
UPDATE monitors_heartbeat heartbeat SET alarm_at = next.alarm_at
FROM next WHERE heartbeat.monitor_id = next.monitor_id AND next.alarm_at > %(now)s
"""


class UnknownToken(Exception):
    """There is no heartbeat with this token."""


class WrongSecret(Exception):
    """The heartbeat has a secret, and it is not this one."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping that was stored. `fault`: what the job says went wrong; None: nothing."""

    monitor_id: int
    at: datetime
    is_quiet: bool
    """Whether nothing follows from it."""
    run_ms: float
    fault: Fault | None


def note_ping(token: str, secret: str, fault: Fault | None, now: datetime) -> Ping:
    """Store a ping with its evidence; raises `UnknownToken` and `WrongSecret`."""
    values = {
        "now": now,
        "slot": _slot(fault, now),
        "outcome": "down" if fault else "up",
        "error_class": fault.error_class.value if fault else "",
        "error": fault.error if fault else "",
    }
    monitor_id, is_quiet, run_ms = _execute(PING, token, secret, values)
    return Ping(monitor_id, now, is_quiet and fault is None, run_ms, fault)


def note_start(token: str, secret: str, now: datetime) -> None:
    """Note that a run has begun; raises `UnknownToken` and `WrongSecret`."""
    _execute(START, token, secret, {"now": now, "shortest": SHORTEST_PATIENCE})


def make_heartbeat(monitor: Monitor, secret: str | None) -> Heartbeat:
    """The heartbeat of a new monitor, which waits for its first ping."""
    return Heartbeat.objects.create(
        monitor=monitor,
        sealed_secret=_sealed(monitor, secret),
        is_quiet=not monitor.enabled,
        **_new_token(monitor),
    )


def pause(monitor: Monitor) -> None:
    """Wait for nothing: pings are stored, and change nothing."""
    Heartbeat.objects.filter(pk=monitor.pk).update(alarm_at=None, is_quiet=True)


def resume(monitor: Monitor) -> None:
    """Know nothing until the next ping."""
    Heartbeat.objects.filter(pk=monitor.pk).update(alarm_at=None, is_quiet=False, run_started_at=None)


def look_again(monitor: Monitor, now: datetime) -> None:
    """After a change of the rhythm: an alarm that is set rings now, which moves it to where it belongs."""
    Heartbeat.objects.filter(pk=monitor.pk, alarm_at__isnull=False).update(alarm_at=now)


def move_alarms(now: datetime, limit: int) -> None:
    """Move alarms that rang for pings which have come, at most `limit` and those that SQL can; lazily."""
    with connection.cursor() as cursor:
        cursor.execute(MOVE, {"now": now, "limit": limit})


def rung(now: datetime, limit: int) -> list[int]:
    """The monitors whose alarm rings, the longest overdue first."""
    ringing = Heartbeat.objects.filter(alarm_at__lte=now).order_by("alarm_at")
    return list(ringing.values_list("pk", flat=True)[:limit])


def rotate_token(monitor: Monitor) -> None:
    """Give the monitor's heartbeat a new token; the old one opens nothing from now on."""
    Heartbeat.objects.filter(pk=monitor.pk).update(**_new_token(monitor))


def set_secret(monitor: Monitor, secret: str | None) -> None:
    """What pings of the monitor must bring from now on; None: nothing."""
    Heartbeat.objects.filter(pk=monitor.pk).update(sealed_secret=_sealed(monitor, secret))


def token_of(monitor: Monitor) -> str:
    """The token in plain text; raises `VaultError`."""
    return _vault().unseal(monitor.heartbeat.sealed_token, account=monitor.account_id, field=TOKEN_FIELD)


def secret_of(monitor: Monitor) -> str | None:
    """The secret in plain text, if there is one; raises `VaultError`."""
    sealed = monitor.heartbeat.sealed_secret
    return _vault().unseal(sealed, account=monitor.account_id, field=SECRET_FIELD) if sealed else None


def _slot(fault: Fault | None, now: datetime) -> datetime:
    """The key of a ping's evidence: of each second one good ping is kept and one bad, however many come."""
    return now.replace(microsecond=1 if fault else 0)


def _execute(statement: str, token: str, secret: str, values: dict[str, Any]) -> tuple[Any, ...]:
    """The row of a statement about the heartbeat of `token`, which wants no secret, or just this one."""
    named = values | {"digest": digest_of(token), "secret": ""}
    row = _row(statement, named) or _row(statement, named | {"secret": _checked_secret(token, secret)})
    if row is None:  # token or secret were replaced just now
        raise UnknownToken
    return row


def _row(statement: str, values: dict[str, Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found


def _checked_secret(token: str, secret: str) -> str:
    """The sealed secret of the heartbeat of `token`, which is `secret`; raises where it is not."""
    found = Monitor.objects.filter(heartbeat__token_digest=digest_of(token))
    monitor = found.select_related("heartbeat").first()
    if monitor is None:
        raise UnknownToken
    expected = secret_of(monitor) or ""
    if not secrets.compare_digest(secret.encode(errors="replace"), expected.encode()):
        raise WrongSecret
    return monitor.heartbeat.sealed_secret


def _new_token(monitor: Monitor) -> dict[str, str]:
    token = SCHEME + random_text(TOKEN_LENGTH)
    sealed = _vault().seal(token, account=monitor.account_id, field=TOKEN_FIELD)
    return {"token_digest": digest_of(token), "sealed_token": sealed}


def _sealed(monitor: Monitor, secret: str | None) -> str:
    return _vault().seal(secret, account=monitor.account_id, field=SECRET_FIELD) if secret else ""


def _vault() -> Vault:
    return Vault(settings.ENCRYPTION_KEYS)
