"""An agent in a process of its own, through an outage of its target and one of the service."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from benchmarks.environment import REPOSITORY, Environment, wait_for
from config.local.paths import Paths
from tests.e2e.target import Service
from tests.e2e.test_story import PROMPT_SECONDS, Watched

pytestmark = pytest.mark.timeout(240)

STOP_SECONDS = 20


class AgentProcess:
    """`python -m probes.agent`, enrolled and running."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        made = environment.call("POST", "/servers", {"name": "web-01"})
        allowlist = folder / "allowlist"
        allowlist.write_text("127.0.0.0/8\n")
        self.id = made["id"]
        self.command = [
            *(sys.executable, "-m", "probes.agent", "--insecure"),
            *("--url", f"http://127.0.0.1:{environment.port}"),
            *("--folder", str(folder / "agent"), "--allowlist", str(allowlist)),
        ]
        subprocess.run([*self.command, "--enrol", made["enrolment_token"]], cwd=REPOSITORY, check=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """What it is to look at it learns when it begins, and then every half a minute."""
        process = subprocess.Popen(self.command, cwd=REPOSITORY)
        yield
        process.terminate()
        assert process.wait(STOP_SECONDS) == 0


@pytest.fixture
def agent(environment: Environment, tmp_path: Path) -> AgentProcess:
    return AgentProcess(environment, tmp_path)


def failures_between(environment: Environment, agent: AgentProcess, start: float, end: float) -> int:
    """The failed looks of this time that the service knows of."""
    with psycopg.connect(Paths(environment.folder).database_url) as database:
        found = database.execute(
            "SELECT count(*) FROM monitors_evidence WHERE region = %s AND outcome = 'down'"
            " AND scheduled_at BETWEEN to_timestamp(%s) AND to_timestamp(%s)",
            [f"server-{agent.id}", start, end],
        ).fetchone()
    return int(found[0]) if found else 0


def test_outages_of_the_target_are_told_and_of_the_service_bridged(
    environment: Environment, service: Service, agent: AgentProcess
) -> None:
    watched = Watched(environment, service, name="intranet", url=service.url, type="http", servers=[agent.id])
    with agent.running():
        outage_of_the_target(watched)
        assert watched.incidents[0]["confirmation"] == {
            "mode": "lone-server",
            "regions": [f"server-{agent.id}"],
        }
        outage_of_the_service(watched, agent)


def outage_of_the_target(watched: Watched) -> None:
    service = watched.service
    wait_for("up", lambda: watched.state["status"] == "up", 60)
    service.status = 503
    wait_for("down", lambda: watched.events == ["monitor.down"], PROMPT_SECONDS)
    service.status = 200
    wait_for("up again", lambda: watched.events == ["monitor.down", "monitor.up"], PROMPT_SECONDS)


def outage_of_the_service(watched: Watched, agent: AgentProcess) -> None:
    environment, service = watched.environment, watched.service
    assert environment.stop() == []
    start, service.status = time.time(), 503
    looked = len(service.asked)
    wait_for("looks while the service is away", lambda: len(service.asked) >= looked + 4, 30)
    end, service.status = time.time(), 200
    looked = len(service.asked)
    wait_for("looks at what is well again", lambda: len(service.asked) >= looked + 4, 30)
    environment.start()
    wait_for("what it saw", lambda: failures_between(environment, agent, start, end) >= 3, 90)
    assert watched.state["status"] == "up"
    assert watched.events == ["monitor.down", "monitor.up"]
