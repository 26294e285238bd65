"""An agent, as a process: the trace of a report begins with it, and its key goes to the service alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.probes.telemetry.collector import Collector

REPOSITORY = Path(__file__).parents[3]


def test_a_heartbeat_takes_its_trace_along(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("uak_planted")
    command = [sys.executable, "-m", "probes.agent", "--insecure", "--url", f"http://{collector.address}"]
    environment = {**os.environ, **collector.variables()}
    with subprocess.Popen([*command, "--folder", str(tmp_path)], cwd=REPOSITORY, env=environment) as process:
        span = collector.span("POST /agent/heartbeat")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    path, headers = collector.others[0]
    assert (path, headers["x-agent-key"]) == ("/agent/heartbeat", "uak_planted")
    assert headers["traceparent"].startswith(f"00-{span.trace.hex()}-{span.id.hex()}-")
    assert span.of["service.name"] == "upquorum-agent"
    assert collector.saw("uak_planted") == []
