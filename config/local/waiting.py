"""Waits for what takes a moment to start."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
import redis

POLL_SECONDS = 0.05


def wait_until(ready: Callable[[], bool], what: str, *, seconds: float) -> None:
    """Returns once `ready()` is true; raises `TimeoutError` naming `what` after `seconds`."""
    give_up_at = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{what} is not ready after {seconds:g} seconds")
        time.sleep(POLL_SECONDS)


def postgres_answers(url: str) -> bool:
    """Whether the database at `url` accepts a connection."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def redis_answers(url: str) -> bool:
    """Whether the Redis server at `url` answers."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False
