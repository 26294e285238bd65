"""Regions that cannot be believed: left out of rounds, their failures no votes, and the operator told."""

from __future__ import annotations

import pytest

from monitors import operator, regions
from monitors.models import KillSwitch, Monitor, MonitorState, OperatorEvent, Region, RegionalFailure
from monitors.tasks import claim_and_dispatch
from probes.instants import unix_ms
from probes.messages import RegionBeat
from tests.make import NOW, account, live, monitor, result, seconds

pytestmark = pytest.mark.django_db


def monitors(count: int) -> list[Monitor]:
    owner = account()
    return [monitor(owner, url=f"http://127.0.0.1:9/{number}") for number in range(count)]


def fail_in(region: str, made: list[Monitor]) -> None:
    RegionalFailure.objects.bulk_create(
        RegionalFailure(state_id=each.pk, region=region, since=NOW, seen_at=NOW, error_class="refused")
        for each in made
    )


def beat(region: str, sick: str) -> None:
    report = RegionBeat(region=region, worker="w", sent_at_ms=unix_ms(NOW), in_flight=0, sick=sick)
    regions.record_beat(report, NOW)


def suspects() -> list[str]:
    regions.judge(NOW)
    return sorted(Region.objects.filter(suspect_since__isnull=False).values_list("name", flat=True))


def test_a_region_whose_canaries_fail_neither_looks_nor_votes_until_they_are_well() -> None:
    live()
    beat("eu", "canary refused")
    assert regions.live_regions(NOW) == regions.voting_regions(NOW) == ["us", "ap"]
    beat("eu", "")
    assert regions.voting_regions(NOW) == ["eu", "us", "ap"]


@pytest.mark.parametrize(
    ("watched", "failing", "is_suspect"),
    [(1, 1, False), (2, 2, False), (3, 3, True), (5, 3, True), (6, 3, False), (7, 4, True), (100, 50, False)],
)
def test_a_region_is_suspect_when_most_of_its_targets_fail_for_it_alone(
    watched: int, failing: int, is_suspect: bool
) -> None:
    live()
    made = monitors(watched)
    fail_in("eu", made[:failing])
    assert suspects() == (["eu"] if is_suspect else [])


def test_it_is_trusted_again_only_when_few_do() -> None:
    live()
    made = monitors(16)
    fail_in("eu", made[:9])
    assert suspects() == ["eu"]
    RegionalFailure.objects.filter(state__in=[each.pk for each in made[4:9]]).delete()
    assert suspects() == ["eu"]
    RegionalFailure.objects.filter(state=made[3].pk).delete()
    assert suspects() == []


def test_monitors_that_are_down_or_paused_are_no_measure_of_a_region() -> None:
    live()
    made = monitors(8)
    fail_in("eu", made[:3])
    assert suspects() == []
    MonitorState.objects.filter(pk__in=[each.pk for each in made[3:6]]).update(status="down")
    assert suspects() == ["eu"]


def test_while_suspect_it_looks_but_its_failures_are_no_votes() -> None:
    live()
    made = monitors(3)
    fail_in("eu", made)
    assert suspects() == ["eu"]
    assert regions.live_regions(NOW) == ["eu", "us", "ap"]
    assert regions.voting_regions(NOW) == ["us", "ap"]
    seen = [result(made[0], "down"), result(made[1], "up"), result(made[2], "missed")]
    down, up, missed = regions.abstaining(seen, "eu")
    assert (down.outcome, down.error_class) == ("error", "region_sick")
    assert "http_5xx" in down.error
    assert [up, missed] == seen[1:]
    assert regions.abstaining(seen, "us") == seen


def test_the_operator_is_told_once_of_a_region_and_once_that_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    live("eu", "us")
    for step in range(3):
        operator.report(regions.troubles(NOW), 3, NOW + seconds(step))
    event = OperatorEvent.objects.get()
    assert (event.kind, event.detail, event.began_at) == ("region.ap", "no worker has ever reported", NOW)
    assert caplog.text.count("operator.region.ap") == 1
    live()
    operator.report(regions.troubles(NOW), 3, NOW + seconds(9))
    assert OperatorEvent.objects.get().ended_at == NOW + seconds(9)


def test_when_every_region_is_out_that_is_one_event() -> None:
    live()
    for region in ("eu", "us", "ap"):
        beat(region, "canary refused")
    assert regions.voting_regions(NOW) == []
    operator.report(regions.troubles(NOW), 3, NOW)
    assert list(OperatorEvent.objects.values_list("kind", flat=True)) == ["regions.none"]


def test_while_the_kill_switch_is_engaged_no_region_is_asked() -> None:
    live()
    switch = KillSwitch.objects.create(reason="abuse")
    assert regions.live_regions(NOW) == regions.voting_regions(NOW) == []
    switch.delete()
    assert regions.live_regions(NOW) == ["eu", "us", "ap"]


def test_while_the_kill_switch_is_engaged_it_is_what_holds_up_a_region_that_is_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    live()
    beat("us", "canary refused")
    switch = KillSwitch.objects.create(reason="abuse")
    stopped = "the kill switch is engaged"
    assert regions.troubles(NOW) == {"eu": stopped, "us": "canary refused", "ap": stopped}
    assert claim_and_dispatch() == 0
    assert [record.message for record in caplog.records] == ["tick.kill_switch: it is engaged; checks wait"]
    switch.delete()
    assert regions.troubles(NOW) == {"us": "canary refused"}
