"""Buckets: never more than the limit in any stretch of time, however many ask at once; open without Redis."""

from __future__ import annotations

import logging
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from redis import Redis

from accounts import limits
from accounts.limits import PAUSE_SECONDS, PREFIX, Breaker, Bucket, Limiter, Taken, take
from tests.timing import keeps

TWO = Bucket("test", 2)
NO_REDIS = "unix:///nowhere/redis.sock"


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return uuid.uuid4().hex


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        yield client


def let_pass(redis: Redis, bucket: Bucket, key: str, seconds: float) -> None:
    """Make all that was taken older."""
    name = f"{PREFIX}{bucket.name}:{key}"
    instants = redis.lrange(name, 0, -1)
    redis.delete(name)
    redis.rpush(name, *(int(instant) - int(seconds * 1000) for instant in instants))


def waits(taken: Taken, seconds: int) -> bool:
    """Whether it was refused for so long, less what the test itself took."""
    return not taken.allowed and seconds - 5 < taken.retry_after_seconds <= seconds


def test_a_bucket_lets_its_limit_through_and_counts_down(key: str) -> None:
    before = time.time()
    taken = [take(TWO, key) for _ in range(3)]
    assert [(each.allowed, each.limit, each.remaining) for each in taken] == [
        (True, 2, 1),
        (True, 2, 0),
        (False, 2, 0),
    ]
    assert [each.retry_after_seconds for each in taken[:2]] == [0, 0]
    assert waits(taken[2], 60)
    assert all(before + 59 < each.reset_at < time.time() + 61 for each in taken)


def test_keys_and_names_do_not_meet(key: str) -> None:
    one = Bucket("test", 1)
    assert take(one, key).allowed
    assert not take(one, key).allowed
    assert take(one, f"{key}2").allowed
    assert take(Bucket("other", 1), key).allowed


def test_each_instant_comes_back_a_window_after_it_was_taken(key: str, redis: Redis) -> None:
    take(TWO, key)
    let_pass(redis, TWO, key, 40)
    take(TWO, key)
    assert waits(take(TWO, key), 20)
    let_pass(redis, TWO, key, 20)
    assert take(TWO, key).allowed
    assert waits(take(TWO, key), 40)


def test_the_turn_of_a_minute_lets_no_more_through(key: str, redis: Redis) -> None:
    for _ in range(2):
        take(TWO, key)
    let_pass(redis, TWO, key, 55)
    assert waits(take(TWO, key), 5)
    let_pass(redis, TWO, key, 5)
    assert [take(TWO, key).allowed for _ in range(3)] == [True, True, False]


def test_a_refusal_costs_nothing(key: str, redis: Redis) -> None:
    for _ in range(5):
        take(TWO, key)
    let_pass(redis, TWO, key, 60)
    assert take(TWO, key).remaining == 1


def test_a_lowered_limit_holds_at_once_and_says_when_it_ends(key: str, redis: Redis) -> None:
    take(Bucket("test", 9), key)
    let_pass(redis, TWO, key, 50)
    for _ in range(2):
        take(Bucket("test", 9), key)
    taken = take(TWO, key)
    assert taken.remaining == 0
    assert waits(taken, 60)


def test_a_key_forgets_itself_after_its_window(key: str, redis: Redis) -> None:
    take(Bucket("test", 2, window_seconds=30), key)
    assert 29_000 < redis.pttl(f"{PREFIX}test:{key}") <= 30_000


def test_the_limit_holds_to_one_among_many_threads_and_processes(key: str) -> None:
    bucket = Bucket("test", 200)
    limiters = [Limiter(settings.REDIS_URL) for _ in range(4)]
    with ThreadPoolExecutor(32) as threads:
        taken = list(threads.map(lambda number: limiters[number % 4].take(bucket, key), range(1000)))
    assert sorted(each.remaining for each in taken if each.allowed) == list(range(200))
    assert all(waits(each, 60) for each in taken if not each.allowed)


def test_a_limit_of_nought_asks_nobody() -> None:
    assert Limiter(NO_REDIS).take(Bucket("test", 0), "key").allowed


def test_without_redis_all_goes_on_and_one_line_says_so(caplog: pytest.LogCaptureFixture) -> None:
    limiter = Limiter(NO_REDIS)
    taken = [limiter.take(TWO, "key") for _ in range(50)]
    assert {(each.allowed, each.limit, each.remaining) for each in taken} == {(True, 2, 2)}
    assert taken[0].reset_at >= time.time() + 59
    assert len(caplog.records) == 1
    assert "limits.redis_away" in caplog.text


def test_a_redis_that_hangs_holds_up_one_request_for_a_quarter_of_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "PAUSE_SECONDS", 60)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limiter = Limiter(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.monotonic()
        assert all(limiter.take(TWO, "key").allowed for _ in range(3))
        assert keeps(250, 1000 * (time.monotonic() - began))
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # the others did not even ask
            silent.accept()


def test_a_killed_connection_is_no_outage(key: str, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    limiter = Limiter(f"{settings.REDIS_URL}?client_name={key}")
    limiter.take(TWO, key)
    (connection,) = (each for each in redis.client_list() if each["name"] == key)
    redis.client_kill_filter(_id=connection["id"])
    assert limiter.take(TWO, key).remaining == 0
    assert not caplog.records


def test_after_a_failure_one_a_second_finds_out() -> None:
    breaker = Breaker()
    assert breaker.permits(10.0)
    breaker.failed(OSError(), 10.0)
    assert not breaker.permits(10.0 + PAUSE_SECONDS / 2)
    assert [breaker.permits(10.0 + PAUSE_SECONDS) for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert all(breaker.permits(11.1) for _ in range(3))


def test_each_outage_is_logged_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    breaker = Breaker()
    for now in (1.0, 3.0):
        breaker.failed(OSError(), now)
        breaker.failed(OSError(), now + 0.1)
        breaker.succeeded()
        breaker.succeeded()
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "limits.redis_away",
        "limits.redis_back",
    ] * 2
