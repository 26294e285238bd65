"""What the doctor sees: each trouble is found, named and comes with what to do."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from redis import Redis

from config import diagnosis
from config.diagnosis import Finding, diagnose
from monitors import partitions, pulse
from monitors.models import KillSwitch, Pulse, Region
from tests import make
from tests.webhooks.conftest import make_webhook

LONG = "x" * 50


@pytest.fixture
def healthy(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that works; the tests' broker evicts nothing, as that of `make up`."""
    now = timezone.now()
    make.live(now=now)
    pulse.beat("tick", now)
    partitions.keep_partitions(now, evidence_days=7, rollup_days=400)
    settings.SECRET_KEY = LONG
    monkeypatch.setattr(diagnosis, "_icmp", lambda: Finding("icmp", True, "allowed here"))


def findings(**later: float) -> dict[str, Finding]:
    """What is found when our clock is later than it is."""
    return {finding.name: finding for finding in diagnose(lambda: timezone.now() + timedelta(**later))}


def troubles(**later: float) -> dict[str, str]:
    return {name: finding.text for name, finding in findings(**later).items() if not finding.ok}


def report() -> str:
    out = StringIO()
    call_command("doctor", stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("healthy")
def test_of_a_healthy_installation_all_is_well() -> None:
    assert troubles() == {}
    assert report().endswith("All is well.\n")


@pytest.mark.usefixtures("healthy")
def test_trouble_is_the_exit_status(settings: Any) -> None:
    settings.SECRET_KEY = "short"
    with pytest.raises(SystemExit) as ended:
        report()
    assert ended.value.code == 1
    assert troubles() == {"secret key": "make it 50 characters or more"}


@pytest.mark.usefixtures("healthy")
def test_an_engaged_kill_switch_is_no_fault_of_the_workers() -> None:
    KillSwitch.objects.create(reason="abuse")
    advice = "the kill switch is engaged: delete it in the admin"
    assert troubles() == {f"region {name}": advice for name in make.REGIONS}


@pytest.mark.usefixtures("healthy")
def test_a_clock_of_our_own_that_is_wrong_shows_against_both_servers() -> None:
    found = troubles(minutes=1)
    assert found["clock of the broker"].startswith(("60.", "59."))
    assert "behind: let NTP set both clocks" in found["clock of the database"]


@pytest.mark.usefixtures("healthy")
def test_a_region_s_wrong_clock_and_silence_are_found() -> None:
    Region.objects.filter(name="us").update(clock_ahead_ms=61_000)
    Region.objects.filter(name="ap").update(last_seen_at=make.NOW - timedelta(days=9))
    pulse_began = timezone.now() - timedelta(hours=1)
    Pulse.objects.update(since=pulse_began)
    found = troubles()
    assert found["clock of region us"] == "61.0 s ahead: let NTP set both clocks"
    assert found["region ap"].startswith("silent since")
    assert found.keys() == {"clock of region us", "region ap"}


@pytest.mark.usefixtures("healthy")
def test_a_schedule_that_stands_still_and_partitions_that_are_missing_are_found() -> None:
    found = troubles(days=30)
    assert "are beat and the core worker running?" in found["tick"]
    assert "manage.py prune" in found["partitions"]


@pytest.mark.usefixtures("healthy")
def test_pending_migrations_are_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'api' OR app = 'incidents'")
    assert "run `manage.py migrate`" in troubles()["migrations"]


@pytest.mark.usefixtures("healthy")
def test_keys_that_open_nothing_are_found_and_no_secret_is_shown(settings: Any) -> None:
    webhook = make_webhook(make.account())
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    text = troubles()["encryption keys"]
    assert f"webhooks.Webhook {webhook.pk}" in text
    assert webhook.secret not in text


@pytest.mark.usefixtures("healthy")
def test_a_broker_that_is_away_does_not_hide_the_rest(settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/none.sock"
    assert "UPQUORUM_REDIS_URL" in troubles()["broker"]
    assert "migrations" in findings()


@pytest.mark.usefixtures("healthy")
def test_a_broker_that_evicts_is_found(settings: Any) -> None:
    with Redis.from_url(settings.REDIS_URL) as redis:
        before = redis.config_get("maxmemory-policy")["maxmemory-policy"]
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert "noeviction" in troubles()["broker"]
        finally:
            redis.config_set("maxmemory-policy", before)


def test_without_a_database_what_lies_there_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    away = Finding("database", False, "does not answer")
    monkeypatch.setattr(diagnosis, "_database", lambda clock: iter([away]))
    assert "migrations" not in findings()
    assert "secret key" in findings()
