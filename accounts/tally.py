"""How often what happened: counted in Redis for all processes, and lost with it. Only metrics read it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from redis.exceptions import RedisError

from accounts.redis import client

logger = logging.getLogger(__name__)

KEY = "upquorum:tally"

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
