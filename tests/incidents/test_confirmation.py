"""Rounds: a dissent asks two other regions at once, two that agree decide, a late vote changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from incidents.confirmation import settle, settle_overdue
from incidents.lifecycle import update_monitor
from incidents.models import Incident, Round, Transition
from incidents.tasks import ingest
from monitors.evidence import record_evidence
from monitors.models import Monitor, MonitorState, Region
from probes.messages import ProbeRequest, ProbeResult, Results, pack
from tests.incidents.conftest import Outbox
from tests.make import NOW, account, live, monitor, result, seconds
from webhooks.models import Delivery, Event
from webhooks.services import set_webhook

pytestmark = pytest.mark.django_db(transaction=True)


def answer(request: ProbeRequest, region: str, outcome: str, **fields: Any) -> ProbeResult:
    """What `region` answers to a question of a round."""
    of = Monitor.objects.get(pk=request.monitor_id)
    values: dict[str, Any] = {
        "round_id": request.round_id,
        "attempt": request.attempt,
        "scheduled_at_ms": request.scheduled_at_ms,
        "config_version": request.config_version,
    }
    return result(of, outcome, region, **(values | fields))


def dissent(made: Monitor, outcome: str = "down", region: str = "eu", at: datetime = NOW) -> None:
    Region.objects.update(last_seen_at=at)
    settle(result(made, outcome, region, at=at), at)


def status_of(made: Monitor) -> str:
    return MonitorState.objects.get(pk=made.pk).status


def test_a_dissent_asks_two_other_regions_at_once(outbox: Outbox) -> None:
    live()
    made = monitor()
    dissent(made, region="us")
    assert outbox.regions == ["ap", "eu"]
    assert all(batch.urgent for batch in outbox.batches)
    round_ = Round.objects.get()
    assert {request.round_id for _, request in outbox.asked} == {round_.pk}
    assert [(vote.region, vote.outcome) for vote in round_.votes.order_by("pk")] == [
        ("us", "down"),
        ("ap", ""),
        ("eu", ""),
    ]
    assert (status_of(made), Incident.objects.count()) == ("up", 0)


@pytest.mark.parametrize("outcome", ["down", "up"])
@pytest.mark.parametrize("answering", [0, 1])
def test_the_second_equal_vote_decides_without_waiting_for_the_third(
    outbox: Outbox, outcome: str, answering: int
) -> None:
    live()
    made = monitor(status="up" if outcome == "down" else "down")
    dissent(made, outcome)
    region, request = outbox.asked[answering]
    settle(answer(request, region, outcome), NOW + seconds(1))
    assert status_of(made) == outcome
    round_ = Round.objects.get()
    assert (round_.verdict, round_.mode, round_.closed_at) == (outcome, "2-of-3", NOW + seconds(1))


def test_one_region_alone_changes_nothing(outbox: Outbox) -> None:
    live()
    made = monitor()
    dissent(made)
    for region, request in outbox.asked:
        settle(answer(request, region, "up"), NOW)
    assert status_of(made) == "up"
    assert (Round.objects.get().verdict, Transition.objects.count(), Incident.objects.count()) == ("up", 0, 0)
    assert not Delivery.objects.exists()


def test_a_transition_its_incident_and_its_deliveries_come_together_and_once(outbox: Outbox) -> None:
    live()
    made = monitor()
    set_webhook(account_id=made.account_id, subject_id=made.pk, url="http://127.0.0.1:9/", now=NOW)
    dissent(made)
    for region, request in outbox.asked:
        for _ in range(2):
            settle(answer(request, region, "down"), NOW + seconds(1))
    incident = Incident.objects.get()
    assert (incident.type, incident.reason, incident.mode, incident.resolved_at) == (
        "down",
        "http_5xx",
        "2-of-3",
        None,
    )
    assert [seen["region"] for seen in incident.evidence] == ["eu", "us"]
    assert (Transition.objects.count(), Event.objects.count(), Delivery.objects.count()) == (1, 1, 1)
    assert Event.objects.get().type == "monitor.down"


def test_recovery_needs_the_same_quorum_and_ends_the_incident(outbox: Outbox) -> None:
    live()
    made = monitor()
    dissent(made)
    settle(answer(outbox.asked[0][1], "us", "down"), NOW)
    dissent(made, "up", "ap", NOW + seconds(60))
    assert (status_of(made), Incident.objects.get().resolved_at) == ("down", None)
    region, request = outbox.asked[-1]
    settle(answer(request, region, "up"), NOW + seconds(61))
    assert (status_of(made), Incident.objects.get().resolved_at) == ("up", NOW + seconds(61))
    assert list(Event.objects.order_by("pk").values_list("type", flat=True)) == ["monitor.down", "monitor.up"]


def test_while_a_round_is_open_no_second_one_opens(outbox: Outbox) -> None:
    live()
    made = monitor()
    dissent(made)
    dissent(made, region="us", at=NOW + seconds(1))
    assert Round.objects.count() == 1
    assert len(outbox.asked) == 2
    assert list(Round.objects.get().votes.exclude(outcome="").values_list("region", flat=True)) == ["eu"]


def test_the_same_dissent_delivered_twice_opens_one_round(outbox: Outbox) -> None:
    live()
    made = monitor()
    dissent(made)
    for region, request in outbox.asked:
        settle(answer(request, region, "up"), NOW)
    dissent(made)
    assert Round.objects.count() == 1


def test_an_answer_that_is_older_than_one_already_settled_is_no_dissent(outbox: Outbox) -> None:
    live()
    made = monitor()
    record_evidence([result(made, "up", "us", at=NOW)])
    dissent(made, at=NOW - seconds(60))
    assert not Round.objects.exists()


@pytest.mark.parametrize("outcome", ["missed", "error"])
def test_what_does_not_vote_is_replaced_by_another_region_where_there_is_one(
    outbox: Outbox, outcome: str
) -> None:
    live("eu", "us", "ap")
    made = monitor()
    dissent(made)
    for region, request in list(outbox.asked):
        settle(answer(request, region, outcome), NOW)
    assert (Round.objects.get().verdict, status_of(made)) == ("inconclusive", "up")


def test_a_silent_region_is_replaced_once_and_the_newcomers_vote_counts(
    outbox: Outbox, settings: object
) -> None:
    settings.REGIONS = ["eu", "us", "ap", "sa"]  # type: ignore[attr-defined]
    live("eu", "us", "ap", "sa")
    made = monitor()
    dissent(made)
    assert outbox.regions == ["us", "ap"]
    late = Round.objects.get().deadline_at
    live("eu", "us", "ap", "sa", now=late)
    settle_overdue(made.pk, late - seconds(0.001))
    assert len(outbox.asked) == 2
    settle_overdue(made.pk, late)
    assert outbox.regions == ["us", "ap", "sa"]
    settle(answer(outbox.asked[-1][1], "sa", "down"), late + seconds(1))
    assert status_of(made) == "down"


def test_a_round_nobody_answers_ends_without_a_verdict_and_the_next_check_comes_soon(outbox: Outbox) -> None:
    live()
    made = monitor(interval_seconds=3_600)
    dissent(made)
    late = Round.objects.get().deadline_at
    settle_overdue(made.pk, late)
    round_, state = Round.objects.get(), MonitorState.objects.get()
    assert (round_.verdict, state.status, Incident.objects.count()) == ("inconclusive", "up", 0)
    assert state.extra_check_at == late + seconds(10)


def test_a_late_vote_is_kept_for_the_receipt_and_changes_nothing(outbox: Outbox) -> None:
    live()
    made = monitor()
    dissent(made)
    for region, request in outbox.asked:
        settle(answer(request, region, "up"), NOW)
    last, request = outbox.asked[1]
    first = Round.objects.get()
    settle_overdue(made.pk, NOW + seconds(100))
    settle(answer(request, last, "down"), NOW + seconds(101))
    assert Round.objects.get() == first
    assert Round.objects.get().verdict == "up"
    assert status_of(made) == "up"


def test_a_vote_for_a_round_that_never_asked_is_ignored(outbox: Outbox) -> None:
    live("eu", "us")
    made, other = monitor(), monitor(account("bob"))
    dissent(made)
    request = outbox.asked[0][1]
    settle(answer(request, "ap", "down"), NOW)
    settle(answer(request, "us", "down", attempt=2), NOW)
    settle(answer(request, "us", "down", monitor_id=other.pk), NOW)
    assert (status_of(made), status_of(other)) == ("up", "up")
    assert Round.objects.get().closed_at is None


@pytest.mark.parametrize("change", [{"timeout_ms": 5_000}, {"enabled": False}], ids=["edited", "disabled"])
def test_votes_on_what_was_edited_or_disabled_meanwhile_are_void(
    outbox: Outbox, change: dict[str, Any]
) -> None:
    live()
    made = monitor()
    dissent(made)
    update_monitor(made, change, NOW)
    for region, request in outbox.asked:
        settle(answer(request, region, "down"), NOW)
    assert status_of(made) == "up"


def test_while_no_region_is_to_be_believed_nothing_is_concluded(outbox: Outbox) -> None:
    live()
    made = monitor()
    Region.objects.update(sick="canary refused")
    dissent(made)
    assert (Round.objects.count(), outbox.asked, status_of(made)) == (0, [], "up")


def test_two_regions_must_both_agree(outbox: Outbox) -> None:
    live("eu", "us")
    made = monitor()
    dissent(made)
    assert outbox.regions == ["us"]
    settle(answer(outbox.asked[0][1], "us", "up"), NOW)
    assert (Round.objects.get().verdict, status_of(made)) == ("inconclusive", "up")
    dissent(made, at=NOW + seconds(60))
    settle(answer(outbox.asked[1][1], "us", "down"), NOW + seconds(60))
    assert (Round.objects.latest("pk").mode, status_of(made)) == ("2-of-2", "down")


def test_a_region_that_is_alone_must_fail_three_times_two_seconds_apart(outbox: Outbox) -> None:
    live("eu")
    made = monitor()
    dissent(made)
    assert outbox.asked == []
    settle_overdue(made.pk, NOW + seconds(1.9))
    assert outbox.asked == []
    for attempt, at in [(2, 2), (3, 4)]:
        settle_overdue(made.pk, NOW + seconds(at))
        region, request = outbox.asked[-1]
        assert (region, request.attempt) == ("eu", attempt)
        assert status_of(made) == "up"
        settle(answer(request, "eu", "down"), NOW + seconds(at))
    assert (Round.objects.get().mode, status_of(made)) == ("3-of-1", "down")
    assert Incident.objects.get().mode == "3-of-1"


def test_first_knowledge_of_a_healthy_monitor_is_silent(outbox: Outbox) -> None:
    live()
    made = monitor(status="unknown")
    dissent(made, "up")
    settle(answer(outbox.asked[0][1], "us", "up"), NOW)
    assert (status_of(made), Event.objects.count(), Incident.objects.count()) == ("up", 0, 0)


def test_ingest_takes_a_message_to_its_verdict_and_again_without_effect(outbox: Outbox) -> None:
    live(now=timezone.now())
    made = monitor()

    def deliver(*results: ProbeResult) -> None:
        ingest(pack(Results(region=results[0].region, results=list(results))))

    first = result(made, "down", "eu", at=NOW)
    deliver(first)
    deliver(first)
    (region, request), _ = outbox.asked
    vote = answer(request, region, "down")
    deliver(vote)
    deliver(vote)
    assert (status_of(made), Round.objects.count(), Event.objects.count()) == ("down", 1, 1)


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        "text",
        {},
        {"version": 1, "region": "eu", "results": [{"monitor_id": "x"}]},
        {"version": 9, "region": "eu", "results": []},
        {"version": 1, "region": "mars", "results": []},
    ],
)
def test_a_message_that_cannot_be_parsed_is_logged_with_its_reason_and_dropped(
    garbage: object, caplog: pytest.LogCaptureFixture
) -> None:
    ingest(msgspec.Raw(msgspec.json.encode(garbage)))
    assert "ingest.dropped" in caplog.text


def test_a_region_that_speaks_for_another_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    made = monitor()
    ingest(pack(Results(region="eu", results=[result(made, "down", "us")])))
    assert "speaks for" in caplog.text
    assert not Round.objects.exists()
