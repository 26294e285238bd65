"""Counts of all processes together, and what they cost when Redis is away: nothing but themselves."""

from __future__ import annotations

import uuid

import pytest
from django.conf import settings
from redis import retry

from accounts import tally
from accounts.redis import client


def test_what_is_counted_adds_up() -> None:
    name = ("test", uuid.uuid4().hex)
    tally.add({name: 2, (*name, "more"): 1})
    tally.add({name: 3})
    counts = tally.read()
    assert (counts[name], counts[*name, "more"]) == (5, 1)


def test_without_redis_nothing_is_counted_nobody_waits_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(retry, "sleep", waits.append)
    monkeypatch.setattr(settings, "REDIS_URL", "unix:///nowhere/redis.sock")
    monkeypatch.setattr(tally, "client", client.__wrapped__)
    tally.add({("test",): 1})
    assert not waits
    assert "tally.lost" in caplog.text
