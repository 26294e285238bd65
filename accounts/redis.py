"""Redis for what must not wait for it: counts, and how much waits in a queue."""

from __future__ import annotations

import functools

from django.conf import settings
from redis import ConnectionPool, Redis

TIMEOUT_SECONDS = 0.25


@functools.cache
def client() -> Redis:
    """This process' own, which waits for nobody."""
    # By a pool, with which redis-py does not retry: by itself it asks a Redis that is away for 5 s.
    pool = ConnectionPool.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    return Redis(connection_pool=pool)
