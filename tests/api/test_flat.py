"""The flat format: chosen by the key or by a header, every field, and never a credential."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from monitors.evidence import record_evidence
from monitors.models import Monitor, MonitorState
from probes.instants import unix_ms
from probes.messages import Certificate
from tests.api.conftest import ApiClient
from tests.make import NOW, monitor, result

FLAT, NATIVE = {"Upquorum-Format": "flat"}, {"Upquorum-Format": "native"}


def shape(client: Client, **headers: str) -> str:
    """Which format the list is in."""
    answer = client.get("/api/v1/monitors", headers=headers).json()
    return "flat" if isinstance(answer, dict) and "monitors" in answer else "native"


def test_the_key_decides_and_a_header_overrides_it(alice: ApiClient, flat_alice: ApiClient) -> None:
    assert [shape(alice.http), shape(alice.http, **FLAT)] == ["native", "flat"]
    assert [shape(flat_alice.http), shape(flat_alice.http, **NATIVE)] == ["flat", "native"]


@pytest.mark.parametrize("path", ["monitors", "monitors/1", "monitors/1/pause"])
def test_a_header_that_names_no_format_is_refused(alice: ApiClient, path: str) -> None:
    method = "POST" if path.endswith("pause") else "GET"
    response = alice.http.generic(method, f"/api/v1/{path}", headers={"Upquorum-Format": "tcp-monitors"})
    assert response.status_code == 400
    assert response.json() == {"error": "Upquorum-Format must be one of: native, flat"}


def test_a_key_made_flat_says_so_and_stays_so(alice: ApiClient) -> None:
    _, made = alice.post("/keys", {"label": "terraform", "format": "flat"})
    _, rotated = alice.post(f"/keys/{made['id']}/rotate", None)
    for each in (made, rotated):
        assert (each["format"], each["scopes"], each["key"][:9]) == ("flat", None, "umk_live_")
        assert shape(Client(headers={"Authorization": f"Bearer {each['key']}"})) == "flat"
    assert "format" not in alice.post("/keys", {"label": "plain", "format": "native"})[1]


def test_the_other_resources_are_native_for_it(flat_alice: ApiClient) -> None:
    made = monitor(flat_alice.account)
    assert flat_alice.get("/incidents")[1]["incidents"] == []
    assert flat_alice.get(f"/monitors/{made.pk}/rounds")[1]["rounds"] == []
    assert "account" in flat_alice.get("/account")[1]


@pytest.mark.parametrize(("flapping", "status"), [(None, "down"), (NOW, "down")])
def test_flapping_shows_what_was_settled_last(
    flat_alice: ApiClient, flapping: datetime | None, status: str
) -> None:
    made = monitor(flat_alice.account, status="down")
    MonitorState.objects.update(flapping_since=flapping, consecutive_fails=3)
    _, answer = flat_alice.get(f"/monitors/{made.pk}")
    assert (answer["status"], answer["consecutive_fails"]) == (status, 3)


def test_when_a_certificate_ends_is_told_from_the_newest_that_was_seen(
    flat_alice: ApiClient, django_assert_num_queries: Any
) -> None:
    made = monitor(flat_alice.account, type="ssl", url="127.0.0.1", options={"warn_days": 30})
    ends = datetime(2026, 12, 1, tzinfo=UTC)
    certificate = Certificate(issuer="CA", expires_at_ms=0, chain_expires_at_ms=unix_ms(ends))
    record_evidence([result(made, "up", certificate=certificate)])
    assert flat_alice.get(f"/monitors/{made.pk}")[1]["ssl_expiry_at"] == "2026-12-01T00:00:00.000000Z"
    monitor(flat_alice.account, type="ssl", url="localhost", options={"warn_days": 30})
    with django_assert_num_queries(3):  # the key, the monitors, their newest probes
        _, answer = flat_alice.get("/monitors")
    assert [each["ssl_expiry_at"] for each in answer["monitors"]] == ["2026-12-01T00:00:00.000000Z", None]


def test_credentials_are_sealed_and_never_shown(flat_alice: ApiClient) -> None:
    body = {"name": "n", "type": "http", "target": "http://127.0.0.1:9/", "http_auth_type": "header"}
    secret = {"http_auth_header": "X-Key", "http_auth_value": "hunter2"}
    status, answer = flat_alice.post("/monitors", body | secret)
    assert (status, answer["http_auth_type"], answer["http_auth_configured"]) == (201, "header", True)
    assert "hunter2" not in str(answer) + str(Monitor.objects.values().get())


def test_pausing_and_resuming_works_in_the_native_format_as_well(alice: ApiClient) -> None:
    made = monitor(alice.account)
    for verb, enabled in (("pause", False), ("pause", False), ("resume", True)):
        status, answer = alice.post(f"/monitors/{made.pk}/{verb}", None)
        assert (status, answer["monitor"]["enabled"]) == (200, enabled)
    state = MonitorState.objects.get()
    assert (state.status, state.scheduled_since is not None) == ("unknown", True)


def test_a_target_sent_back_as_it_was_shown_changes_nothing(alice: ApiClient, flat_alice: ApiClient) -> None:
    _, made = alice.post("/monitors", {"name": "port", "type": "tcp", "url": "tcp://127.0.0.1:9"})
    path = f"/monitors/{made['monitor']['id']}"
    _, shown = flat_alice.get(path)
    assert (shown["type"], shown["protocol"], shown["target"]) == ("port", "tcp", "127.0.0.1:9")
    version = MonitorState.objects.get().config_version
    assert (
        flat_alice.put(path, {name: shown[name] for name in ("name", "type", "target", "protocol")})[0] == 200
    )
    assert (Monitor.objects.get().url, MonitorState.objects.get().config_version) == (
        "tcp://127.0.0.1:9",
        version,
    )
    assert flat_alice.put(path, {"protocol": "udp"})[0] == 400


def test_a_text_that_a_native_http_monitor_looks_for_is_a_keyword(
    alice: ApiClient, flat_alice: ApiClient
) -> None:
    made = monitor(alice.account, options={"expected_status": 200, "body_match": "ok"})
    _, shown = flat_alice.get(f"/monitors/{made.pk}")
    assert [shown[name] for name in ("type", "keyword", "keyword_type", "keyword_match")] == [
        *("keyword", "ok", "contains", "exact")
    ]
    assert flat_alice.put(f"/monitors/{made.pk}", {"keyword": "fine"})[1]["keyword"] == "fine"
    assert alice.get(f"/monitors/{made.pk}")[1]["monitor"]["body_match"] == "fine"


def test_types_that_the_format_does_not_have_are_not_there(flat_alice: ApiClient) -> None:
    made = monitor(flat_alice.account, type="ping", url="127.0.0.1", options={})
    assert flat_alice.get("/monitors") == (200, {"monitors": []})
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/pause")):
        status, answer = flat_alice(method, f"/monitors/{made.pk}{path}", {})
        assert (status, answer) == (404, {"error": "monitor not found"})
    assert Monitor.objects.filter(pk=made.pk, enabled=True).exists()
