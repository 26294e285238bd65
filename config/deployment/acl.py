"""Who may do what on the broker, as lines of the server's ACL file.

The core may use all of it. A region may take from its own queues and add to the core's two, so a worker
that is taken over reads no other region's checks, and nothing that others report.
"""

from __future__ import annotations

import hashlib

from probes import broker, names

CORE = "core"

ANYONE = "user default on nopass resetkeys resetchannels -@all +ping"
"""Who has not said a password may ask whether the server lives."""

BINDINGS = ("_kombu.binding", "_kombu.binding_permanent")
CONSUME = "+brpop +llen +sadd +srem +smembers +exists +lpush +rpush +pexpire"
END = "+zadd +zrem +zrangebyscore +del"
TALK = "+ping +time +client|setinfo +multi +exec +evalsha +script|load +script|exists"


def regional_user(region: str) -> str:
    """The name of a region's user."""
    return f"probe-{region}"


def render(core_password: str, regional_passwords: dict[str, str]) -> str:
    """The ACL file: anyone, the core, and each region by its password."""
    regions = [_region(region, password) for region, password in regional_passwords.items()]
    return "\n".join([ANYONE, _core(core_password), *regions, ""])


def _core(password: str) -> str:
    return f"user {CORE} on {_digest(password)} ~* &* +@all -@admin -@dangerous +info"


def _region(region: str, password: str) -> str:
    queues = [names.scheduled_queue(region), names.urgent_queue(region), names.echo_queue(region, "*")]
    bindings = [f"{kind}.{queue}" for kind in BINDINGS for queue in queues]
    keys = [*queues, *bindings, broker.binding_deadlines(region)]
    own = " ".join(f"~{key}" for key in keys)
    reports = f"(+lpush %W~{names.INGEST_QUEUE} %W~{names.CORE_QUEUE})"
    return f"user {regional_user(region)} on {_digest(password)} -@all {TALK} {CONSUME} {END} {own} {reports}"


def _digest(password: str) -> str:
    return f"#{hashlib.sha256(password.encode()).hexdigest()}"
