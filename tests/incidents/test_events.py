"""What an event says of its monitor."""

from __future__ import annotations

import json

import pytest
from django.db import transaction

from incidents.case import Publish
from incidents.events import about, publish_event
from monitors.models import Monitor
from tests.make import NOW, heartbeat, monitor
from webhooks.models import Event

pytestmark = pytest.mark.django_db


def sent(of: Monitor) -> dict[str, object]:
    with transaction.atomic():
        publish_event(Publish("monitor.down", occasion="test"), of.state, None, NOW)
    payload: dict[str, object] = json.loads(Event.objects.get().payload)
    return payload


def test_it_names_the_url_that_is_looked_at() -> None:
    made = monitor()
    assert sent(made)["monitor_url"] == made.url
    assert about(made, NOW).items() <= sent(made).items()


def test_what_reports_by_itself_has_no_url() -> None:
    made, _ = heartbeat()
    assert "monitor_url" not in about(made, NOW)
    assert "monitor_url" not in sent(made)
