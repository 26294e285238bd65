"""A part of the tests' broker that no other test uses: the core's queues are everybody's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import Celery

from probes import broker


def redis_url(database: int) -> str:
    """The tests' Redis, at one of its numbered databases."""
    url = os.environ["UPQUORUM_REDIS_URL"]
    if url.startswith("unix:"):
        return f"{url}?virtual_host={database}"
    return f"{url.rpartition('/')[0]}/{database}"


@contextmanager
def celery_app(database: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """Who sends to the workers that the block starts, all on that database."""
    monkeypatch.setenv("UPQUORUM_REDIS_URL", redis_url(database))
    app = Celery("sender", broker=broker.broker_url(), set_as_current=False, fixups=[])
    app.conf.update(broker.CELERY_SETTINGS)
    yield app
    app.close()
