"""How often: at most so many in any stretch of time, counted in Redis for all processes together.

A bucket keeps the instants of what it let through, so that no stretch of its length ever holds more than
its limit. Counting by the minute lets twice as many through around the turn of one, and GCRA does so in
its first one; a library that keeps instants asks the clock of each web server, and Redis twice.
"""

from __future__ import annotations

import functools
import logging
import math
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from redis import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PREFIX = "upquorum:limit:"
CONNECTIONS = 16
TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 1.0
"""How long nobody asks after Redis has failed."""

# Answers: let through or not, how many count now, when that changes, and what time it is, in Unix ms.
SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local function instant(index) return tonumber(redis.call('LINDEX', KEYS[1], index) or math.huge) end

while instant(0) <= now - window do redis.call('LPOP', KEYS[1]) end
local used = redis.call('LLEN', KEYS[1])
if used >= limit then return {0, used, instant(used - limit) + window, now} end

redis.call('RPUSH', KEYS[1], now)
redis.call('PEXPIRE', KEYS[1], window)
return {1, used + 1, instant(0) + window, now}
"""


@dataclass(frozen=True)
class Bucket:
    """Lets `limit` through in any `window_seconds`, for each key of its own; 0 lets all through."""

    name: str
    limit: int
    window_seconds: int = 60


@dataclass(frozen=True)
class Taken:
    """What a bucket answered to one more."""

    allowed: bool
    limit: int
    remaining: int
    reset_at: int
    """When the oldest that counts no longer does, in Unix seconds."""
    retry_after_seconds: int
    """0 when allowed, else at least 1."""
    counted: bool = True
    """False where nothing is limited, or Redis is away."""


class Breaker:
    """Spares the others from waiting for what does not answer: after a failure, one a second finds out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away = False
        self._ask_at = 0.0

    def permits(self, now: float) -> bool:
        """Whether to ask at `now`, in seconds of any clock."""
        with self._lock:
            if self._away and now < self._ask_at:
                return False
            self._ask_at = now + PAUSE_SECONDS
            return True

    def failed(self, error: Exception, now: float) -> None:
        with self._lock:
            is_news, self._away, self._ask_at = not self._away, True, now + PAUSE_SECONDS
        if is_news:
            logger.error("limits.redis_away: nothing is limited until it is back: %s", error)

    def succeeded(self) -> None:
        with self._lock:
            is_news, self._away = self._away, False
        if is_news:
            logger.warning("limits.redis_back: limits hold again")


class Limiter:
    """Counts in one Redis. While that is away everything is let through."""

    def __init__(self, url: str) -> None:
        # A pool without retries, redis-py's own choice for a pool that it is given: a retry is a wait.
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )
        self._ask = Redis(connection_pool=pool).register_script(SCRIPT)
        self._breaker = Breaker()

    def take(self, bucket: Bucket, key: str) -> Taken:
        """One more of `bucket` for `key`, which counts only if it is let through."""
        if bucket.limit == 0 or not self._breaker.permits(time.monotonic()):
            return _untouched(bucket)
        try:
            answer = self._ask([f"{PREFIX}{bucket.name}:{key}"], [bucket.limit, bucket.window_seconds * 1000])
        except RedisError as error:
            self._breaker.failed(error, time.monotonic())
            return _untouched(bucket)
        self._breaker.succeeded()
        return _taken(bucket, *answer)


def take(bucket: Bucket, key: str) -> Taken:
    """One more of `bucket` for `key`, in the Redis of the settings: one round trip, and a short one."""
    return limiter().take(bucket, key)


@functools.cache
def limiter() -> Limiter:
    """This process' only one."""
    return Limiter(settings.REDIS_URL)


def _taken(bucket: Bucket, allowed: int, used: int, free_at_ms: int, now_ms: int) -> Taken:
    return Taken(
        allowed=bool(allowed),
        limit=bucket.limit,
        remaining=max(0, bucket.limit - used),
        reset_at=math.ceil(free_at_ms / 1000),
        retry_after_seconds=0 if allowed else max(1, math.ceil((free_at_ms - now_ms) / 1000)),
    )


def _untouched(bucket: Bucket) -> Taken:
    reset_at = math.ceil(time.time()) + bucket.window_seconds
    return Taken(True, bucket.limit, bucket.limit, reset_at, retry_after_seconds=0, counted=False)
