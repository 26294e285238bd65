"""One environment for all the stories of a run, each with a service of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.environment import Environment
from tests.e2e.target import Service


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    running = Environment(tmp_path_factory.mktemp("upquorum") / "data")
    try:
        running.start()
        yield running
    finally:
        if running.process and running.process.poll() is None:
            assert running.stop() == []


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        yield running
        running.shutdown()
