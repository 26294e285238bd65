"""A look on demand: bounded for each monitor and each domain, and off while the kill switch is engaged."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.limits import Bucket
from api.views import monitors as views
from monitors import dispatch
from monitors.evidence import record_evidence
from monitors.models import KillSwitch, Monitor
from probes.instants import from_unix_ms
from probes.messages import Batch
from tests.api.conftest import ApiClient
from tests.make import live, monitor, result


@pytest.fixture
def regions_answer(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """Regions that see every target up, at once."""
    asked: list[Batch] = []

    def answer(batch: Batch) -> None:
        asked.append(batch)
        for request in batch.requests:
            at = from_unix_ms(request.scheduled_at_ms)
            made = Monitor.objects.get(pk=request.monitor_id)
            record_evidence([result(made, "up", batch.region, at=at)])

    monkeypatch.setattr(dispatch, "send", answer)
    return asked


def test_it_looks_at_once_and_answers_with_what_was_seen(
    alice: ApiClient, regions_answer: list[Batch]
) -> None:
    live(now=timezone.now())
    made = monitor(alice.account)
    status, body = alice.post(f"/monitors/{made.pk}/test", None)
    assert status == 200
    assert [batch.urgent for batch in regions_answer] == [True]
    assert body["monitor"]["id"] == made.pk
    assert body["state"]["evidence_buffer"][0]["region"] == regions_answer[0].region.upper()


def test_a_monitor_is_tested_once_in_a_while(alice: ApiClient, regions_answer: list[Batch]) -> None:
    live(now=timezone.now())
    path = f"/monitors/{monitor(alice.account).pk}/test"
    assert alice.post(path, None)[0] == 200
    response = alice.http.post(f"/api/v1{path}")
    assert response.status_code == 429
    after = response["Retry-After"]
    assert response.json() == {"error": f"too many tests for this monitor; retry in {after}s"}
    assert 1 <= int(after) <= 10
    assert len(regions_answer) == 1


def test_a_domain_is_tested_so_often_over_all_accounts(
    alice: ApiClient, bob: ApiClient, regions_answer: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "TESTS_OF_A_DOMAIN", Bucket("t", 2, window_seconds=60))
    live(now=timezone.now())
    for number, client in enumerate((alice, bob, alice)):
        made = monitor(client.account, url=f"http://LOCALHOST:{number + 1}/")
        status, body = client.post(f"/monitors/{made.pk}/test", None)
        assert status == (200 if number < 2 else 429)
    assert body["error"].startswith("domain rate limit exceeded; retry in ")


def test_while_the_kill_switch_is_engaged_it_says_so_in_both_fields(
    alice: ApiClient, regions_answer: list[Batch]
) -> None:
    KillSwitch.objects.create(reason="abuse")
    response = alice.http.post(f"/api/v1/monitors/{monitor(alice.account).pk}/test")
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert response.json() == {
        "error": "kill_switch_active",
        "message": "check dispatches temporarily disabled",
    }
    assert regions_answer == []


def test_without_a_live_region_it_answers_with_what_is_known(alice: ApiClient) -> None:
    status, body = alice.post(f"/monitors/{monitor(alice.account).pk}/test", None)
    assert (status, body["state"]["evidence_buffer"]) == (200, [])


@pytest.mark.parametrize(
    ("id_text", "answer"), [("abc", (400, "invalid monitor ID")), ("0", (404, "monitor not found"))]
)
def test_ids_that_are_no_number_or_unknown(alice: ApiClient, id_text: str, answer: Any) -> None:
    status, message = answer
    assert alice.post(f"/monitors/{id_text}/test", None) == (status, {"error": message})
