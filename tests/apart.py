"""A part of the tests' broker that no other test uses: the core's queues are everybody's."""

from __future__ import annotations

import os


def redis_url(database: int) -> str:
    """The tests' Redis, at one of its numbered databases."""
    url = os.environ["UPQUORUM_REDIS_URL"]
    if url.startswith("unix:"):
        return f"{url}?virtual_host={database}"
    return f"{url.rpartition('/')[0]}/{database}"
