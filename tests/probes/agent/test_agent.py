"""The agent: looks with the real engine, says what it saw, and looks on while the service is away."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from benchmarks.environment import wait_for
from probes.agent.__main__ import enrol, policy_in
from probes.agent.agent import Agent, wire_result
from probes.agent.messages import Check
from probes.agent.service import Service
from probes.agent.spool import Spool
from probes.env import BadSetting
from probes.guard import AddressPolicy
from probes.messages import Certificate, ProbeResult
from tests.e2e.target import Service as Target
from tests.probes.agent.conftest import FakeService, check

REPOSITORY = Path(__file__).parents[3]
LOCAL = AddressPolicy.of(["127.0.0.0/8"])


@pytest.fixture
def target() -> Iterator[Target]:
    with Target() as running:
        yield running
        running.shutdown()


@contextmanager
def running(service: FakeService, folder: Path, policy: AddressPolicy = LOCAL) -> Iterator[None]:
    stopping = threading.Event()
    agent = Agent(Service(service.url, "uak_x", is_insecure=True), folder, policy)
    thread = threading.Thread(target=agent.run, args=[stopping])
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()


def tell(service: FakeService, *checks: Check) -> None:
    service.answers = [(200, {"uptime_checks": [msgspec.to_builtins(each) for each in checks]})]


def instants(service: FakeService) -> set[int]:
    return {each["checked_at_ms"] for each in service.results}


def test_it_looks_and_says_what_it_saw(service: FakeService, target: Target, tmp_path: Path) -> None:
    target.status = 503
    tell(service, check(url=target.url))
    with running(service, tmp_path):
        wait_for("a result", lambda: service.results, 10)
    seen = service.results[0]
    assert seen.pop("checked_at_ms") > 0
    assert seen.pop("latency_ms") > 0
    assert seen == {
        "check_id": 4,
        "ok": False,
        "status_code": 503,
        "error_kind": "http_status",
        "error_class": "http_5xx",
        "error_message": "status 503, expected 200",
        "config_version": 1,
    }


def test_what_its_operator_did_not_allow_is_not_looked_at(
    service: FakeService, target: Target, tmp_path: Path
) -> None:
    tell(service, check(url=target.url))
    with running(service, tmp_path, AddressPolicy()):
        wait_for("a result", lambda: service.results, 10)
    assert (service.results[0]["error_class"], "error_kind" in service.results[0]) == ("blocked", False)


def test_a_restart_while_the_service_is_away_looks_on_and_tells_later(
    service: FakeService, target: Target, tmp_path: Path
) -> None:
    tell(service, check(url=target.url))
    with running(service, tmp_path):
        wait_for("a result", lambda: service.results, 10)
    service.answers, before = [(503, b"")], len(service.received)
    spool = Spool(tmp_path / "spool")
    with running(service, tmp_path):
        wait_for("a result on disk", lambda: spool.take().results, 10)
    assert len(service.received) > before
    kept = [msgspec.json.decode(each)["checked_at_ms"] for each in spool.take().results]
    service.received.clear()
    tell(service)
    with running(service, tmp_path):
        wait_for("what was kept", lambda: set(kept) <= instants(service), 10)
    left = {msgspec.json.decode(each)["checked_at_ms"] for each in spool.take().results}
    assert left.isdisjoint(kept)


@pytest.mark.parametrize(
    ("outcome", "error_class", "said"),
    [
        ("up", "", (True, None, None)),
        ("up", "cert_expiring", (True, None, "cert_expiring")),
        ("down", "dns_nxdomain", (False, "tcp_refused", "dns_nxdomain")),
        ("down", "body_mismatch", (False, "body_mismatch", "body_mismatch")),
        ("missed", "late", (False, None, "late")),
        ("error", "internal", (False, None, "internal")),
    ],
)
def test_what_was_seen_in_the_words_of_the_contract(
    outcome: str, error_class: str, said: tuple[bool, str | None, str | None]
) -> None:
    result = ProbeResult(
        monitor_id=4,
        config_version=3,
        scheduled_at_ms=1_000,
        region="agent",
        outcome=outcome,  # type: ignore[arg-type]
        started_at_ms=1_000,
        total_ms=5.0,
        error_class=error_class,
        certificate=Certificate(issuer="", expires_at_ms=9 * 86_400_000, chain_expires_at_ms=8 * 86_400_000),
    )
    wire = wire_result(result)
    assert (wire.ok, wire.error_kind, wire.error_class) == said
    assert (wire.check_id, wire.config_version, wire.checked_at_ms, wire.cert_days_left) == (4, 3, 1_000, 7)


def test_a_key_is_kept_where_nobody_else_reads_it(service: FakeService, tmp_path: Path) -> None:
    service.answers = [(200, {"server_id": 12, "agent_key": "uak_y"})]
    file = tmp_path / "agent" / "key"
    enrol(Service(service.url, is_insecure=True), "uet_x", file)
    assert file.read_text() == "uak_y"
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ("json", 0, '"event": "agent.enrolled", "server": 12}'),
        ("xml", 2, "UPQUORUM_LOG_FORMAT must be one of"),
    ],
)
def test_it_logs_in_the_form_that_is_asked_for(
    form: str, status: int, said: str, service: FakeService, tmp_path: Path
) -> None:
    service.answers = [(200, {"server_id": 12, "agent_key": "uak_y"})]
    command = [sys.executable, "-m", "probes.agent", "--insecure", "--url", service.url, "--enrol", "uet_x"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)],
        cwd=REPOSITORY,
        env={**os.environ, "UPQUORUM_LOG_FORMAT": form},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


def test_the_allowlist_is_a_file_of_networks(tmp_path: Path) -> None:
    file = tmp_path / "allowlist"
    file.write_text("# the office\n10.0.0.0/24\n\nfd00::/8  # and the lab\n")
    policy = policy_in(file)
    assert [policy.permits(each, 443) for each in ("10.0.0.7", "fd00::1", "10.0.1.7")] == [True, True, False]
    assert not policy_in(None).permits("10.0.0.7", 443)
    file.write_text("10.0.0.5/8")
    with pytest.raises(BadSetting, match=rf"{file}: 10\.0\.0\.5/8 has host bits set"):
        policy_in(file)
