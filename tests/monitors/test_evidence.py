"""Evidence: stored once, whatever comes twice; the quiet case ends here; hostile text costs nothing."""

from __future__ import annotations

import pytest
from django.db import connection

from monitors.evidence import latest, record_evidence, storable
from monitors.models import Evidence, MonitorState, RegionalFailure
from probes.instants import unix_ms
from probes.messages import Certificate
from tests.make import NOW, account, monitor, result, seconds

pytestmark = pytest.mark.django_db


def test_a_result_is_stored_as_it_was_measured() -> None:
    made = monitor()
    seen = result(
        made, "down", address="127.0.0.1", error="HTTP 503", dns_ms=1.5, connect_ms=2.5, ttfb_ms=9.25
    )
    record_evidence([seen])
    stored = Evidence.objects.get()
    assert (stored.monitor_id, stored.region, stored.outcome, stored.error_class) == (
        made.pk,
        "eu",
        "down",
        "http_5xx",
    )
    assert (stored.scheduled_at, stored.started_at, stored.round_id) == (NOW, NOW, 0)
    assert (stored.status_code, stored.address, stored.error) == (503, "127.0.0.1", "HTTP 503")
    assert (stored.dns_ms, stored.connect_ms, stored.tls_ms, stored.ttfb_ms) == (1.5, 2.5, None, 9.25)


def test_what_is_quiet_changes_no_index() -> None:
    made = monitor()
    MonitorState.objects.update(extra_check_at=NOW)
    before = updates()
    record_evidence([result(made, "up")])
    assert [after - count for after, count in zip(updates(), before, strict=True)] == [1, 1]


def updates() -> tuple[int, int]:
    """Of rows of the state in this transaction: all, and those that were heap-only."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables"
            " WHERE relname = 'monitors_monitorstate'"
        )
        found: tuple[int, int] = cursor.fetchone()
    return found


def test_the_address_family_and_the_end_of_the_certificate_are_kept_where_they_are_known() -> None:
    made = monitor()
    leaf, chain = NOW + seconds(90 * 86_400), NOW + seconds(30 * 86_400)
    certificate = Certificate(issuer="test", expires_at_ms=unix_ms(leaf), chain_expires_at_ms=unix_ms(chain))
    record_evidence(
        [
            result(made, "up", address="::1", family=6, certificate=certificate),
            result(made, "up", "us"),
        ]
    )
    stored = Evidence.objects.order_by("region").values_list("family", "cert_expires_at")
    assert list(stored) == [(6, chain), (None, None)]


def test_the_same_message_twice_is_stored_once() -> None:
    made = monitor()
    for _ in range(2):
        record_evidence([result(made, "up"), result(made, "up", "us"), result(made, "up", round_id=7)])
    assert Evidence.objects.count() == 3


@pytest.mark.parametrize("status", ["up", "down"])
def test_an_answer_that_agrees_with_the_state_is_quiet(status: str) -> None:
    made = monitor(status=status)
    assert record_evidence([result(made, status)]) == []
    state = MonitorState.objects.get()
    assert (state.last_check_at, state.last_scheduled_at, state.status) == (NOW, NOW, status)


@pytest.mark.parametrize(
    ("status", "outcome"), [("up", "down"), ("down", "up"), ("unknown", "up"), ("unknown", "down")]
)
def test_an_answer_that_disagrees_is_handed_on_and_leaves_the_state_alone(status: str, outcome: str) -> None:
    made = monitor(status=status)
    seen = result(made, outcome)
    assert record_evidence([seen]) == [seen]
    assert MonitorState.objects.get().last_check_at is None


@pytest.mark.parametrize("outcome", ["missed", "error"])
@pytest.mark.parametrize("status", ["up", "down", "unknown"])
def test_what_says_nothing_of_the_target_answers_the_slot_and_is_no_check(status: str, outcome: str) -> None:
    made = monitor(status=status)
    assert record_evidence([result(made, outcome)]) == []
    state = MonitorState.objects.get()
    assert (state.last_check_at, state.last_scheduled_at) == (None, NOW)


def test_a_vote_is_always_handed_on() -> None:
    made = monitor()
    vote = result(made, "up", round_id=7)
    assert record_evidence([vote]) == [vote]


def test_an_answer_for_an_older_configuration_is_not_quiet() -> None:
    made = monitor()
    old = result(made, "up", config_version=0)
    assert record_evidence([old]) == [old]
    assert MonitorState.objects.get().last_check_at is None


def test_an_older_answer_does_not_turn_the_clock_back() -> None:
    made = monitor()
    record_evidence([result(made, "up", at=NOW)])
    record_evidence([result(made, "up", "us", at=NOW - seconds(60))])
    assert MonitorState.objects.get().last_check_at == NOW


def test_hostile_text_costs_neither_the_batch_nor_its_meaning() -> None:
    made, other = monitor(), monitor(account("bob"))
    record_evidence([result(made, "down", error="a\0b\ud800c" + "x" * 1_000), result(other, "up")])
    assert Evidence.objects.get(monitor_id=made.pk).error.startswith("ab?cxxx")
    assert Evidence.objects.filter(monitor_id=other.pk).exists()


@pytest.mark.parametrize("address", ["", "127.0.0.1", "2606:2800::1", "1.2.3.4\0", "\ud800", "x" * 100])
def test_whatever_a_region_calls_an_address_is_stored(address: str) -> None:
    record_evidence([result(monitor(), "up", address=address)])
    assert Evidence.objects.get().address == storable(address, 64)


def test_the_newest_comes_first_and_only_what_voted() -> None:
    made = monitor()
    record_evidence(
        [
            result(made, "up", "eu", at=NOW - seconds(60)),
            result(made, "down", "us", at=NOW),
            result(made, "missed", "ap", at=NOW + seconds(60)),
        ]
    )
    assert [(each.region, each.outcome) for each in latest(made.pk, 10)] == [("us", "down"), ("eu", "up")]
    assert len(latest(made.pk, 1)) == 1


def test_a_check_begun_too_late_is_counted_once_as_missed() -> None:
    made = monitor()
    for _ in range(2):
        record_evidence([result(made, "missed", at=NOW)])
    assert MonitorState.objects.get().missed_checks == 1


def test_an_up_from_where_it_failed_alone_is_handed_on() -> None:
    made, other = monitor(), monitor(account("bob"))
    RegionalFailure.objects.create(
        state_id=made.pk, region="eu", since=NOW, seen_at=NOW, error_class="refused"
    )
    recovering = result(made, "up", "eu", at=NOW + seconds(60))
    assert record_evidence([recovering, result(other, "up", "eu")]) == [recovering]
    assert record_evidence([result(made, "up", "us", at=NOW + seconds(120))]) == []


@pytest.mark.parametrize("outcome", ["up", "missed", "error"])
def test_the_answer_of_a_probe_that_was_suspected_is_handed_on(outcome: str) -> None:
    made = monitor()
    MonitorState.objects.update(awaited_slot=NOW, awaited_region="eu")
    awaited = result(made, outcome, at=NOW)
    assert record_evidence([awaited]) == [awaited]
    assert record_evidence([result(made, outcome, at=NOW + seconds(60))]) == []


@pytest.mark.parametrize(
    ("status", "outcome", "after"),
    [("down", "down", 3), ("up", "up", 0), ("up", "missed", 2), ("up", "error", 2)],
)
def test_failures_in_a_row_are_counted_once_a_slot(status: str, outcome: str, after: int) -> None:
    made = monitor(status=status)
    MonitorState.objects.update(consecutive_fails=2)
    for _ in range(2):
        record_evidence([result(made, outcome)])
    assert MonitorState.objects.get().consecutive_fails == after


def test_nothing_is_no_trouble() -> None:
    assert record_evidence([]) == []
