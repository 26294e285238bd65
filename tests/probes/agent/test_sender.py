"""Heartbeats: what is refused, what is sent again, how long is waited, and to whom nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from probes.agent.messages import Check
from probes.agent.sender import LONGEST_BACKOFF_SECONDS, Sender
from probes.agent.service import Away, BadService, Refused, Service
from probes.agent.spool import Spool
from tests.probes.agent.conftest import FakeService, check

RESULT = b'{"check_id":4,"ok":true}'


class Setting:
    """A sender, not started, with one result to send."""

    def __init__(self, url: str, folder: Path) -> None:
        self.told: list[Any] = []
        self.spool = Spool(folder)
        self.spool.add([RESULT], 1_763_726_400_000)
        self.sender = Sender(Service(url, "uak_x", is_insecure=True), self.spool, self.told.append)

    def beat(self) -> tuple[float, float]:
        return self.sender.beat()


@pytest.fixture
def setting(service: FakeService, tmp_path: Path) -> Setting:
    return Setting(service.url, tmp_path)


def body_of(*checks: Check, **more: Any) -> dict[str, Any]:
    return {"uptime_checks": [msgspec.to_builtins(each) for each in checks], **more}


def test_what_is_taken_is_forgotten_and_the_checks_are_handed_on(
    setting: Setting, service: FakeService
) -> None:
    service.answers = [(200, body_of(check(), heartbeat_seconds=20))]
    assert setting.beat() == (1.0, 20.0)
    assert (setting.told, setting.spool.is_empty()) == ([[check()]], True)
    assert (service.results, service.keys) == ([{"check_id": 4, "ok": True}], ["uak_x"])
    assert service.received[0]["hostname"]


def test_a_check_of_a_newer_service_costs_no_other(setting: Setting, service: FakeService) -> None:
    newer = msgspec.to_builtins(check(5)) | {"type": "quantum"}
    service.answers = [(200, {"uptime_checks": [newer, msgspec.to_builtins(check())]})]
    setting.beat()
    assert setting.told == [[check()]]


def test_who_comes_too_often_waits_and_looks_at_what_it_is_told(
    setting: Setting, service: FakeService
) -> None:
    service.answers = [(429, body_of(check(), retry_after=17, error="too many heartbeats"))]
    assert setting.beat() == (17.0, 17.0)
    assert (setting.told, setting.spool.is_empty()) == ([[check()]], False)


@pytest.mark.parametrize(
    "answer", [(503, b""), (500, b"oops"), (302, b""), (200, b"<html>"), (200, {}), (429, b"<html>")]
)
def test_what_does_not_answer_as_the_service_is_away(
    setting: Setting, service: FakeService, answer: tuple[int, Any]
) -> None:
    service.answers = [answer]
    least, most = setting.beat()
    assert 0.5 <= least == most <= 1.0
    assert (setting.told, setting.spool.is_empty()) == ([], False)
    assert len(service.received) == 1


def test_nobody_there_is_waited_for_ever_longer_and_then_as_before(
    setting: Setting, service: FakeService
) -> None:
    service.answers = [(503, b"")]
    waits = [setting.beat()[0] for _ in range(9)]
    assert all(2**n / 2 <= wait <= min(2**n, LONGEST_BACKOFF_SECONDS) for n, wait in enumerate(waits[:6]))
    assert LONGEST_BACKOFF_SECONDS / 2 <= waits[-1] <= LONGEST_BACKOFF_SECONDS
    service.answers = [(200, body_of())]
    assert setting.beat() == (1.0, 30.0)
    assert setting.spool.is_empty()


def test_a_port_that_is_closed_is_away_too(service: FakeService, tmp_path: Path) -> None:
    setting = Setting("http://127.0.0.1:1", tmp_path)
    assert setting.beat()[0] <= 1.0
    assert not setting.spool.is_empty()


@pytest.mark.parametrize(("status", "is_kept"), [(400, False), (413, False), (401, True), (403, True)])
def test_what_is_refused_for_itself_is_dropped(
    setting: Setting, service: FakeService, status: int, is_kept: bool
) -> None:
    service.answers = [(status, {"error": "no"})]
    setting.beat()
    assert setting.spool.is_empty() is not is_kept


def test_more_than_fits_follows_at_once(setting: Setting, service: FakeService) -> None:
    setting.spool.add([b'{"pad":"%s"}' % (b"x" * 15_000) for _ in range(5)], 1_763_726_400_001)
    service.answers = [(200, body_of())]
    assert setting.beat() == (1.0, 1.0)
    while not setting.spool.is_empty():
        setting.beat()
    assert len(service.results) == 6


@pytest.mark.parametrize(
    ("url", "is_insecure"),
    [
        ("http://up.example.com", False),
        ("http://127.0.0.1:1", False),
        ("http://up.example.com", True),
        ("http://10.0.0.5", True),
        ("ftp://up.example.com", True),
        ("up.example.com", True),
        ("https://", False),
        ("", False),
    ],
)
def test_keys_travel_by_https_alone(url: str, is_insecure: bool) -> None:
    with pytest.raises(BadService):
        Service(url, "uak_x", is_insecure=is_insecure)


def test_a_token_is_changed_for_a_key_or_not(service: FakeService) -> None:
    here = Service(service.url, is_insecure=True)
    service.answers = [(200, {"server_id": 12, "agent_key": "uak_y"}), (401, {"error": "no"}), (502, b"")]
    assert here.enrol("uet_x").agent_key == "uak_y"
    assert (service.received, service.keys) == ([{"token": "uet_x"}], [None])
    with pytest.raises(Refused):
        here.enrol("uet_x")
    with pytest.raises(Away):
        here.enrol("uet_x")
