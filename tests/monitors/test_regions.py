"""Which regions live: those heard of lately; after our own absence, all that we ever knew."""

from __future__ import annotations

import pytest

from monitors import pulse
from monitors.regions import SILENCE, live_regions, record_beat
from probes.instants import unix_ms
from probes.messages import RegionBeat
from tests.make import NOW, live, seconds

pytestmark = pytest.mark.django_db


def beat(region: str) -> RegionBeat:
    return RegionBeat(region=region, worker="host:1", sent_at_ms=unix_ms(NOW), in_flight=3)


def test_regions_come_in_the_order_of_the_settings_and_strangers_not_at_all() -> None:
    live("us", "eu", "mars")
    assert live_regions(NOW) == ["eu", "us"]


def test_a_region_is_alive_until_it_was_silent_for_too_long() -> None:
    live("eu", "us")
    later = NOW + SILENCE
    record_beat(beat("us"), later)
    assert live_regions(later - seconds(0.001)) == ["eu", "us"]
    assert live_regions(later) == ["us"]


def test_while_we_have_only_just_come_back_no_region_is_given_up() -> None:
    live("eu", "us", "ap")
    back = NOW + seconds(600)
    pulse.beat("tick", back)
    assert live_regions(back) == ["eu", "us", "ap"]
    for step in range(1, 16):
        pulse.beat("tick", back + seconds(step))
    record_beat(beat("ap"), back + seconds(14))
    assert live_regions(back + seconds(15)) == ["ap"]


def test_the_pulse_is_fresh_for_ten_seconds() -> None:
    assert not pulse.is_fresh("tick", NOW)
    pulse.beat("tick", NOW)
    assert pulse.is_fresh("tick", NOW + seconds(9.9))
    assert not pulse.is_fresh("tick", NOW + seconds(10))
