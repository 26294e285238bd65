"""What a monitor's owner does not want to be told is not told; all else of it stays as it is."""

from __future__ import annotations

import pytest
from django.db import transaction

from incidents.case import Publish
from incidents.events import MUTABLE, publish_event
from incidents.lifecycle import update_monitor
from monitors.models import MonitorState
from tests.make import NOW, monitor
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("muted", MUTABLE)
def test_what_is_muted_is_not_published(muted: str) -> None:
    state = monitor(muted_events=[muted]).state
    with transaction.atomic():
        for name in MUTABLE:
            publish_event(Publish(name, occasion=name), state, None, NOW)
    assert set(Event.objects.values_list("type", flat=True)) == set(MUTABLE) - {muted}


def test_to_mute_is_no_change_of_what_is_looked_at() -> None:
    made = monitor()
    update_monitor(made, {"muted_events": ["monitor.up"]}, NOW)
    state = MonitorState.objects.select_related("monitor").get()
    assert (state.config_version, state.status, state.monitor.muted_events) == (1, "up", ["monitor.up"])
