"""How often what happened: counted in Redis for all processes, and lost with it. Only metrics read it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping

from django.conf import settings
from redis import ConnectionPool, Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

KEY = "upquorum:tally"
TIMEOUT_SECONDS = 0.25

Name = tuple[str, ...]
"""What is counted, from the general to the particular."""


def add(counts: Mapping[Name, int]) -> None:
    """Count so many more of each, in one round trip. Without Redis they are not counted."""
    try:
        with client().pipeline(transaction=False) as pipe:
            for name, count in counts.items():
                pipe.hincrby(KEY, "|".join(name), count)
            pipe.execute()
    except RedisError as error:
        logger.warning("tally.lost: %s", error)


def read() -> dict[Name, int]:
    """All counts; raises `RedisError`."""
    counts: dict[str, str] = client().hgetall(KEY)  # type: ignore[assignment]  # it is no coroutine here
    return {tuple(name.split("|")): int(count) for name, count in counts.items()}


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
