"""What is sent elsewhere, and where to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.probes.telemetry.collector import Collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector
