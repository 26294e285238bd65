"""Where things are sent to is away, or hangs: nobody waits for it but, at the end, for a bounded time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from probes.telemetry import sentry, tracing
from tests.probes.listeners import Listener
from tests.probes.telemetry.collector import variables
from tests.timing import STALL_MS

REPOSITORY = Path(__file__).parents[3]
WORK = """
import logging, sys, time
from probes import logs, telemetry
from probes.telemetry import tracing
logs.set_up()
telemetry.set_up("web")
began = time.monotonic()
for number in range(3000):  # more than waits anywhere
    with tracing.span("work", "SERVER"):
        pass
for number in range(200):
    logging.getLogger("probes").error("it.failed: %d", number)
worked = time.monotonic()
telemetry.close()
print(worked - began, time.monotonic() - worked)
"""


def work_with(address: str) -> tuple[float, float]:
    """The seconds that spans and errors cost who made them, and those that the end waited."""
    environment = {**os.environ, **variables(address), "OTEL_BSP_SCHEDULE_DELAY": "20"}
    done = subprocess.run(
        [sys.executable, "-c", WORK],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr.count("it.failed") == 200
    worked, closed = done.stdout.split()
    return float(worked), float(closed)


@pytest.fixture(params=["refuses", "hangs"])
def address(request: pytest.FixtureRequest, listener: Listener, closed_port: int) -> str:
    listener.script = listener.hang
    return f"127.0.0.1:{closed_port if request.param == 'refuses' else listener.port}"


def test_work_goes_on_and_ends_in_time(address: str) -> None:
    worked, closed = work_with(address)
    assert 1000 * worked < STALL_MS
    assert 1000 * (closed - sentry.CLOSE_SECONDS - tracing.CLOSE_SECONDS) < STALL_MS
