"""Health: that the process lives, and that it can do its work."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app
from django.test import Client
from django.utils import timezone

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
def test_without_a_tick_it_is_not_ready_and_says_so() -> None:
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "not ready")


def test_a_broker_that_refuses_is_noticed_within_a_moment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis+socket://{tmp_path}/none.sock")
    assert not health.broker_answers()
