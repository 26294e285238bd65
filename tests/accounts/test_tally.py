"""Counts of all processes together, and what they cost when Redis is away: nothing but themselves."""

from __future__ import annotations

import time
import uuid

import pytest
from redis import Redis

from accounts import tally


def test_what_is_counted_adds_up() -> None:
    name = ("test", uuid.uuid4().hex)
    tally.add({name: 2, (*name, "more"): 1})
    tally.add({name: 3})
    counts = tally.read()
    assert (counts[name], counts[*name, "more"]) == (5, 1)


def test_without_redis_nothing_is_counted_nobody_waits_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tally, "client", lambda: Redis.from_url("unix:///nowhere/redis.sock"))
    began = time.monotonic()
    tally.add({("test",): 1})
    assert time.monotonic() - began < 1
    assert "tally.lost" in caplog.text
