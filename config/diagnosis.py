"""What an operator should know of an installation: each finding says what is well, or what to do about it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.apps import apps
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis
from redis.exceptions import RedisError

from config.management.commands.rotate_encryption import SEALED
from monitors import pulse, regions
from monitors.models import Region
from monitors.partitions import EVIDENCE
from probes.vault import Vault, VaultError

MOST_SKEW_SECONDS = 2.0
SHORTEST_SECRET = 50
SECRETS_TRIED = 100
BROKER_TIMEOUT_SECONDS = 3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `text` is what was seen, or what to do where it is not `ok`."""

    name: str
    ok: bool
    text: str


Clock = Callable[[], datetime]


def diagnose(clock: Clock) -> Iterator[Finding]:
    """Everything, the servers first. What needs a server that is away is not looked at."""
    yield from _broker(clock)
    database = list(_database(clock))
    yield from database
    if database[0].ok:
        yield _migrations()
        yield _tick(clock())
        yield from _regions(clock())
        yield _partitions(clock())
        yield _sealed()
    yield _secret_key()
    yield _icmp()


def _broker(clock: Clock) -> Iterator[Finding]:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=BROKER_TIMEOUT_SECONDS) as redis:
            seconds, microseconds = redis.time()
            now = clock()
            policy = redis.info("memory")["maxmemory_policy"]
    except RedisError as error:
        yield Finding("broker", False, f"does not answer: {error}. Is UPQUORUM_REDIS_URL right?")
        return
    advice = "set maxmemory-policy to noeviction: an evicted queue is lost work"
    yield Finding("broker", policy == "noeviction", "answers" if policy == "noeviction" else advice)
    yield _skew("clock of the broker", seconds + microseconds / 1e6 - now.timestamp())


def _database(clock: Clock) -> Iterator[Finding]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (then,) = cursor.fetchone()
    except Error as error:
        yield Finding("database", False, f"does not answer: {error}. Is UPQUORUM_DATABASE_URL right?")
        return
    yield Finding("database", True, "answers")
    yield _skew("clock of the database", (then - clock()).total_seconds())


def _skew(name: str, seconds: float) -> Finding:
    ok = abs(seconds) <= MOST_SKEW_SECONDS
    advice = "" if ok else ": let NTP set both clocks"
    return Finding(name, ok, f"{abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}{advice}")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    advice = f"{len(plan)} pending: run `manage.py migrate`"
    return Finding("migrations", not plan, advice if plan else "none pending")


def _tick(now: datetime) -> Finding:
    ok = pulse.is_fresh("tick", now)
    advice = "none in the last 10 s: are beat and the core worker running?"
    return Finding("tick", ok, "ticks" if ok else advice)


def _regions(now: datetime) -> Iterator[Finding]:
    troubles = regions.troubles(now)
    clocks = dict(Region.objects.values_list("name", "clock_ahead_ms"))
    for name in settings.REGIONS:
        trouble = troubles.get(name, "")
        advice = "delete it in the admin" if trouble == regions.STOPPED else "look at its worker"
        yield Finding(f"region {name}", not trouble, f"{trouble}: {advice}" if trouble else "votes")
        if name in clocks:
            yield _skew(f"clock of region {name}", clocks[name] / 1000)


def _partitions(now: datetime) -> Finding:
    tomorrow = (now + timedelta(days=1)).date()
    ok = tomorrow in EVIDENCE.partitions()
    advice = "none for tomorrow: run `manage.py prune`, and see that beat and the core worker run"
    return Finding("partitions", ok, "made ahead" if ok else advice)


def _sealed() -> Finding:
    """Whether the keys at hand open what is stored: they may be those of another installation."""
    vault = Vault(settings.ENCRYPTION_KEYS)
    for name, column in SEALED:
        rows = apps.get_model(name)._default_manager.exclude(**{column: ""}).order_by("-pk")
        for pk, sealed in rows.values_list("pk", column)[:SECRETS_TRIED]:
            try:
                vault.rotate(sealed)
            except VaultError:
                advice = f"do not open {name} {pk}: bring back the key that it was sealed with"
                return Finding("encryption keys", False, advice)
    return Finding("encryption keys", True, "open what is sealed")


def _secret_key() -> Finding:
    ok = len(settings.SECRET_KEY) >= SHORTEST_SECRET
    return Finding("secret key", ok, "is long" if ok else f"make it {SHORTEST_SECRET} characters or more")


def _icmp() -> Finding:
    """Here, and not where the regions' workers run: those say it in the evidence of a ping."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except PermissionError:
        advice = "not allowed here: ping monitors need a group in net.ipv4.ping_group_range"
        return Finding("icmp", False, advice)
    return Finding("icmp", True, "allowed here")
