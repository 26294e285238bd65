"""The whole story, on real processes: an outage is confirmed, told once and signed, and so is its end."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from benchmarks.environment import Environment, wait_for
from tests.e2e.target import Port, Service

pytestmark = pytest.mark.timeout(180)

INTERVAL_SECONDS = 1
PROMPT_SECONDS = INTERVAL_SECONDS + 10 + 3
"""The promise: interval, timeout and 3 s."""
PATIENCE_SECONDS = 60
"""No heartbeat is overdue before the service has been there for so long: most tests here are done by then."""


class Watched:
    """A monitor with a webhook."""

    def __init__(self, environment: Environment, service: Service, **fields: Any) -> None:
        self.environment, self.service = environment, service
        self.created = environment.call("POST", "/monitors", {"interval_sec": INTERVAL_SECONDS, **fields})
        self.id = self.created["monitor"]["id"]
        self.webhook = environment.call("PUT", f"/monitors/{self.id}/webhook", {"url": f"{service.url}/hook"})

    @property
    def events(self) -> list[str]:
        return [event["event"] for event in self.service.events_of(self.id)]

    @property
    def incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.environment.call("GET", f"/incidents?monitor_id={self.id}")[
            "incidents"
        ]
        return found

    def expect(self, *events: str) -> None:
        """Wait until just these events have come; two more rounds of checks bring no other."""
        wait_for(f"{events}, got {self.events}", lambda: len(self.events) >= len(events), PROMPT_SECONDS)
        self.wait_for_checks(2)
        assert self.events == list(events)

    def wait_for_checks(self, count: int) -> None:
        """Wait until the monitor was looked at `count` more times."""
        for _ in range(count):
            before = self.state["last_check_at"]
            wait_for("another check", lambda before=before: self.state["last_check_at"] != before, 30)  # type: ignore[misc]

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.environment.call("GET", f"/monitors/{self.id}")["state"]
        return state


def test_an_http_outage_is_told_once_signed_and_with_its_evidence(
    environment: Environment, service: Service
) -> None:
    watched = Watched(environment, service, name="site", url=service.url, type="http")
    assert watched.created["state"]["status"] == "up"
    assert {seen["region"] for seen in watched.created["state"]["evidence_buffer"]} <= {"EU", "US", "AP"}

    service.status = 503
    watched.expect("monitor.down")
    received = service.received[0]
    secret = watched.webhook["secret"].encode()
    signature = hmac.new(secret, received.body, hashlib.sha256).hexdigest()
    assert received.headers["X-UptimeMonitoring-Signature"] == signature
    assert received.event["reason"] == "http_5xx"
    assert received.event["attempt"] == 1
    incident = watched.incidents[0]
    assert len({seen["region"] for seen in incident["evidence"]}) >= 2
    assert {seen["status_code"] for seen in incident["evidence"]} == {503}
    assert "resolved_at" not in incident

    service.status = 200
    watched.expect("monitor.down", "monitor.up")
    assert len(watched.incidents) == 1
    assert watched.incidents[0]["resolved_at"] > incident["started_at"]


def test_a_tcp_outage_is_told_once_and_so_is_its_end(environment: Environment, service: Service) -> None:
    port = Port()
    watched = Watched(environment, service, name="port", url=f"tcp://127.0.0.1:{port.number}", type="tcp")
    wait_for("up", lambda: watched.state["status"] == "up", PROMPT_SECONDS)
    port.close()
    watched.expect("monitor.down")
    assert service.received[0].event["reason"] == "refused"
    port.open()
    watched.expect("monitor.down", "monitor.up")
    assert len(watched.incidents) == 1
    port.close()


@pytest.mark.parametrize(
    "victim",
    [("probes.worker", "eu"), ("beat",), ("celery", "worker"), ("valkey-server",)],
    ids=["regional worker", "beat", "core worker", "broker"],
)
def test_the_next_outage_is_told_once_whatever_was_killed(
    environment: Environment, service: Service, victim: tuple[str, ...]
) -> None:
    watched = Watched(environment, service, name="site", url=service.url, type="http")
    wait_for("up", lambda: watched.state["status"] == "up", PROMPT_SECONDS)
    environment.kill(*victim)
    service.status = 503
    watched.expect("monitor.down")
    environment.kill(*victim)
    service.status = 200
    watched.expect("monitor.down", "monitor.up")
    assert [bool(incident.get("resolved_at")) for incident in watched.incidents] == [True]
    environment.call("DELETE", f"/monitors/{watched.id}")


def test_a_job_that_no_longer_reports_is_told_once_and_so_is_its_return(
    environment: Environment, service: Service
) -> None:
    job = Watched(environment, service, name="job", type="heartbeat", heartbeat_grace_secs=1)
    ping = job.created["monitor"]["heartbeat_url"].removeprefix("/api/v1")
    environment.call("POST", ping)
    assert job.state["status"] == "up"
    wait_for("down", lambda: job.events, PROMPT_SECONDS + PATIENCE_SECONDS)
    environment.call("POST", ping)
    wait_for("up", lambda: len(job.events) == 2, PROMPT_SECONDS)
    environment.call("DELETE", f"/monitors/{job.id}")  # or the next silence would be told, too
    assert job.events == ["monitor.down", "monitor.up"]


def test_ctrl_c_leaves_nothing_behind_and_the_next_start_goes_on(
    environment: Environment, service: Service
) -> None:
    watched = Watched(environment, service, name="site", url=service.url, type="http")
    key = (environment.folder / "api-key").read_text()
    assert environment.stop() == []
    service.status = 503
    environment.start()
    assert (environment.folder / "api-key").read_text() == key
    watched.expect("monitor.down")
