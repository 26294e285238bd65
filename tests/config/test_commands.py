"""The operator's commands: each has help, and says what it did."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command, get_commands
from django.utils import timezone

from incidents.models import Incident
from monitors.models import Region
from monitors.partitions import EVIDENCE
from tests import make
from tests.webhooks.conftest import make_webhook, publish_delivery
from webhooks.models import Status

OURS = {
    name: package
    for name, package in get_commands().items()
    if package in {"accounts", "api", "config", "incidents", "monitors", "webhooks"}
}


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("name", OURS)
def test_every_command_says_what_it_is_for(name: str) -> None:
    assert len(import_module(f"{OURS[name]}.management.commands.{name}").Command.help) > 40


def test_no_command_is_missing() -> None:
    assert OURS.keys() >= {"create_key", "doctor", "prune", "regions", "replay_delivery", "rotate_encryption"}


@pytest.mark.django_db
def test_regions_are_listed_with_what_is_wrong_with_them() -> None:
    make.live("eu", "us", now=timezone.now())
    Region.objects.filter(name="us").update(sick="canary 1: timeout")
    eu, us, ap = run("regions").splitlines()
    assert eu.startswith("eu           votes  (test, 0 in flight, seen ")
    assert us.startswith("us           canary 1: timeout")
    assert ap == "ap           no worker has ever reported"


@pytest.mark.django_db
def test_a_finished_delivery_is_sent_again() -> None:
    delivery = publish_delivery(make_webhook(make.account()))
    delivery.status = Status.FAILED
    delivery.save()
    assert run("replay_delivery", str(delivery.pk)) == f"{delivery.pk}: due now\n"
    delivery.refresh_from_db()
    assert delivery.status == Status.PENDING


@pytest.mark.django_db
def test_what_cannot_be_replayed_is_named_and_the_others_are_replayed() -> None:
    webhook = make_webhook(make.account())
    done, open_ = publish_delivery(webhook, "1"), publish_delivery(webhook, "2")
    done.status = Status.DELIVERED
    done.save()
    with pytest.raises(CommandError, match=f"{open_.pk}: delivery is not finished; 0: there is no such"):
        run("replay_delivery", str(open_.pk), "0", str(done.pk))
    done.refresh_from_db()
    assert done.status == Status.PENDING


@pytest.mark.django_db
def test_prune_makes_partitions_and_drops_what_is_old() -> None:
    before = EVIDENCE.partitions()
    monitor = make.monitor()
    long_ago = timezone.now() - timedelta(days=40)
    values = {"type": "down", "reason": "timeout", "mode": "2-of-3", "started_at": long_ago}
    Incident.objects.create(
        account=monitor.account, monitor=monitor, created_at=long_ago, resolved_at=long_ago, **values
    )
    said = run("prune")
    made = len(EVIDENCE.partitions() - before)
    assert said.startswith(f"partitions made: {made}, dropped: ")
    assert "incidents dropped: 1" in said
    assert not Incident.objects.exists()
