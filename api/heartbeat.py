"""What the wire shows of a heartbeat monitor beside what others have."""

from __future__ import annotations

import secrets
from typing import Any

from monitors.heartbeats import secret_of, token_of
from monitors.models import Monitor
from probes.instants import rfc3339

PATH = "/api/v1/heartbeat/"
"""What is below is for jobs: a token in the path, and no key."""
SHORTEST_SECRET = 8
LONGEST_SECRET = 128
LONGEST_CRON = 100


def shown(monitor: Monitor) -> dict[str, Any]:
    """The credentials of its pings, and when the last one came."""
    token, last = token_of(monitor), monitor.heartbeat.last_ping_at
    return {
        "heartbeat_token": token,
        "heartbeat_url": PATH + token,
        "heartbeat_secret": secret_of(monitor),
        "heartbeat_last_ping": rfc3339(last) if last else None,
        "heartbeat_cron": monitor.options.get("cron"),
    }


def made_up_name() -> str:
    """The `url` of a heartbeat that was given none: it is a name, and must differ from the others."""
    return f"heartbeat:{secrets.token_hex(4)}"
