"""A second beat and a second core worker, with no setting changed, run no check twice."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from benchmarks.environment import REPOSITORY, Environment, wait_for
from config.local.paths import Paths
from config.local.programs import application
from tests.e2e.target import Service

pytestmark = pytest.mark.timeout(180)

MONITORS = 20
ROUNDS = 5
PROMPT_SECONDS = 30

EVIDENCE = """
SELECT monitor_id, scheduled_at, count(*) FROM monitors_evidence
WHERE round_id = 0 AND monitor_id = ANY (%s) GROUP BY 1, 2
"""
PROBES = "SELECT count(*) FROM monitors_evidence WHERE monitor_id = ANY (%s) AND outcome <> 'missed'"


@pytest.fixture
def _more(environment: Environment) -> Iterator[None]:
    """One more of each, as whoever adds a machine would start them."""
    commands = {program.name: program.command for program in application(environment.port, [])}
    started = [
        subprocess.Popen(commands[name], cwd=REPOSITORY, env=environment.variables_of_processes())
        for name in ("beat", "core")
    ]
    yield
    for process in started:
        assert process.poll() is None, "it ended by itself"
        process.terminate()
    for process in started:
        process.wait(20)


@pytest.mark.usefixtures("_more")
def test_with_two_beats_and_two_core_workers_no_check_runs_twice(
    environment: Environment, service: Service
) -> None:
    ids = [create(environment, f"{service.url}/{number}") for number in range(MONITORS)]
    url = Paths(environment.folder).database_url
    with psycopg.connect(url, autocommit=True) as database:
        wait_for("checks", lambda: len(rows(database, ids)) >= MONITORS * ROUNDS, PROMPT_SECONDS)
        assert {count for _, _, count in rows(database, ids)} == {1}
        for monitor_id in ids:
            environment.call("PUT", f"/monitors/{monitor_id}", {"enabled": False})
        wait_for("all evidence", lambda: probes(database, ids) == len(service.asked), PROMPT_SECONDS)
        checks = Counter(monitor_id for monitor_id, _, _ in rows(database, ids))
    assert set(checks) == set(ids)


def create(environment: Environment, url: str) -> int:
    monitor = {"name": url, "url": url, "type": "http", "interval_sec": 1}
    created: int = environment.call("POST", "/monitors", monitor)["monitor"]["id"]
    return created


def rows(
    database: psycopg.Connection[tuple[int, object, int]], ids: list[int]
) -> list[tuple[int, object, int]]:
    return database.execute(EVIDENCE, (ids,)).fetchall()


def probes(database: psycopg.Connection[tuple[int, object, int]], ids: list[int]) -> int:
    """Those that have reached the target, by the evidence."""
    row = database.execute(PROBES, (ids,)).fetchone()
    assert row
    return row[0]
