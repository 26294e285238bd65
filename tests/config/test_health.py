"""Health: that the process lives, and that it can do its work."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from api.views import readers
from config import health
from monitors import pulse
from tests.make import seconds


def test_a_process_that_answers_is_alive() -> None:
    response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
@pytest.mark.parametrize(("age_seconds", "status"), [(0, 200), (11, 503)])
def test_it_is_ready_while_the_schedule_ticks(age_seconds: int, status: int) -> None:
    pulse.beat("tick", timezone.now() - seconds(age_seconds))
    response = Client().get("/readyz")
    assert response.status_code == status
    assert response.json()["checks"] == {"database": True, "broker": True, "tick": status == 200}


@pytest.mark.django_db
def test_without_a_tick_it_is_not_ready_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "not ready")
    assert not caplog.records  # who waits for a start asks often


def test_a_broker_that_refuses_is_noticed_within_a_moment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis+socket://{tmp_path}/none.sock")
    assert not health.broker_answers()


def test_a_page_is_unavailable_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("the connection was refused")

    monkeypatch.setattr(readers, "find_reader", away)
    response = Client().get("/feed/some-token/rss")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert b"refused" not in response.content


def test_any_other_failure_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "find_reader", lambda *_: 1 / 0)
    assert Client(raise_request_exception=False).get("/feed/some-token/rss").status_code == 500
