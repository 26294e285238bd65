"""/v1/tcp-monitors: to its contract's schemas, strict, and one store with the native format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.keys import KeyKind, issue_key
from accounts.models import Account
from api.dialects.tcp_monitors.ids import decoded, encoded
from api.dialects.tcp_monitors.monitors import host_and_port
from api.fields import LARGEST_ID
from api.key_formats import TCP_SCOPES
from api.views.tcp_monitors import TcpMonitorList
from monitors.evidence import record_evidence
from monitors.models import Monitor, MonitorState, OptOut
from probes.instants import rfc3339
from tests.api.conftest import ApiClient
from tests.make import NOW, monitor, result, seconds

SCHEMAS = json.loads((Path(__file__).parent / "golden" / "tcp_monitors_schemas.json").read_text())
NEW = {"name": "database", "host": "127.0.0.1", "port": 5432}


def hold(name: str, value: Any) -> None:
    """Fail unless the contract's own schema takes the value."""
    jsonschema_rs.Draft202012Validator(SCHEMAS[name], validate_formats=True).validate(value)


def created(client: ApiClient, **change: Any) -> dict[str, Any]:
    status, answer = client.post("", NEW | change)
    assert status == 201, answer
    data: dict[str, Any] = answer["data"]
    return data


def wrong(answer: Any) -> list[str]:
    """The fields that a refusal names."""
    assert answer["error"]["code"] == "VALIDATION_ERROR"
    return [each["field"] for each in answer["error"]["details"]]


def test_every_answer_is_as_the_schemas_of_the_contract(tcp_alice: ApiClient) -> None:
    one = tcp_alice.post("", NEW)[1]
    hold("monitor", one)
    path = f"/{one['data']['id']}"
    made = Monitor.objects.get()
    for at, outcome in enumerate(["up", "down", "up"]):
        record_evidence([result(made, outcome, at=NOW + seconds(60 * at))])
    hold("monitor", tcp_alice.get(path)[1])
    hold("monitor", tcp_alice.put(path, {"name": "other"})[1])
    hold("monitors", tcp_alice.get("")[1])
    hold("results", tcp_alice.get(f"{path}/results")[1])


def test_defaults_are_the_contracts(tcp_alice: ApiClient) -> None:
    assert (
        created(tcp_alice).items()
        >= {
            "timeoutMs": 5000,
            "intervalSeconds": 60,
            "isEnabled": True,
            "lastStatus": None,
        }.items()
    )


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": "x" * 255}, []),
        ({"name": "x" * 256}, ["name"]),
        ({"name": None}, ["name"]),
        ({"host": ""}, ["host"]),
        ({"host": "a b"}, ["host"]),
        ({"host": "127.0.0.1:80"}, ["host"]),
        ({"host": "http://127.0.0.1/"}, ["host"]),
        ({"host": "local\u200bhost"}, ["host"]),
        ({"host": "::1%lo"}, ["host"]),
        ({"host": "10.0.0.5"}, ["host"]),
        ({"host": "169.254.169.254"}, ["host"]),
        ({"host": "no-such-host.invalid"}, ["host"]),
        ({"port": 1}, []),
        ({"port": 65535}, []),
        ({"port": 65536}, ["port"]),
        ({"port": 9.0, "timeoutMs": 6e2, "intervalSeconds": 60.0}, []),
        ({"port": 9.5}, ["port"]),
        ({"port": 1e300}, ["port"]),
        ({"port": "80"}, ["port"]),
        ({"port": True}, ["port"]),
        ({"timeoutMs": 60_000}, []),
        ({"timeoutMs": 60_001}, ["timeoutMs"]),
        ({"timeoutMs": 5000.5}, ["timeoutMs"]),
        ({"intervalSeconds": 10}, []),
        ({"intervalSeconds": 9}, ["intervalSeconds"]),
        ({"intervalSeconds": 86_400}, []),
        ({"intervalSeconds": 86_401}, ["intervalSeconds"]),
        ({"isEnabled": "true"}, ["isEnabled"]),
        ({"url": "127.0.0.1:80"}, ["url"]),
        ({"port": 0, "timeout_ms": 7}, ["port", "timeout_ms"]),
        ({"\ud800": 1}, ["\\ud800"]),
    ],
)
def test_bounds_hold_and_every_wrong_field_is_named(
    tcp_alice: ApiClient, change: dict[str, Any], fields: list[str]
) -> None:
    status, answer = tcp_alice.post("", NEW | change)
    assert (status, wrong(answer) if status == 400 else []) == (400 if fields else 201, fields)
    assert Monitor.objects.exists() is not bool(fields)


def test_what_the_contracts_schema_takes_of_a_body_is_what_is_taken(tcp_alice: ApiClient) -> None:
    new = jsonschema_rs.Draft202012Validator(SCHEMAS["new"])
    document = tcp_alice.http.get("/openapi.json").json()
    ours = document["components"]["schemas"]["TcpMonitorInput"]
    for change in (
        {},
        {"colour": 1},
        {"port": 0},
        {"port": 65536},
        {"timeoutMs": 99},
        {"intervalSeconds": 9},
    ):
        assert jsonschema_rs.Draft202012Validator(ours).is_valid(NEW | change) is new.is_valid(NEW | change)
    assert ours["additionalProperties"] is SCHEMAS["new"]["additionalProperties"] is False
    assert set(ours["properties"]) == set(SCHEMAS["new"]["properties"])


def test_a_target_that_opted_out_is_refused(tcp_alice: ApiClient) -> None:
    OptOut.objects.create(domain="localhost")
    assert wrong(tcp_alice.post("", NEW | {"host": "localhost"})[1]) == ["host"]


def test_an_update_keeps_what_it_leaves_out(tcp_alice: ApiClient) -> None:
    one = created(tcp_alice, host="localhost", timeoutMs=100)
    _, answer = tcp_alice.put(f"/{one['id']}", {"port": 5433})
    kept = {name: value for name, value in answer["data"].items() if name != "updatedAt"}
    assert kept == {name: value for name, value in one.items() if name != "updatedAt"} | {"port": 5433}
    assert tcp_alice.put(f"/{one['id']}", {"host": "10.0.0.5"})[0] == 400
    assert tcp_alice.put(f"/{one['id']}", {})[0] == 200


def test_an_ipv6_host_is_written_without_brackets(tcp_alice: ApiClient, settings: Any) -> None:
    settings.ADDRESS_POLICY = type(settings.ADDRESS_POLICY).of(["::1/128"])
    assert created(tcp_alice, host="::1")["host"] == "::1"
    assert Monitor.objects.get().url == "[::1]:5432"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("db.example.com:5432", ("db.example.com", 5432)),
        ("tcp://DB.example.com:5432", ("DB.example.com", 5432)),
        ("port://[::1]:80", ("::1", 80)),
    ],
)
def test_host_and_port_of_a_monitor_that_another_format_made(url: str, address: tuple[str, int]) -> None:
    assert host_and_port(url) == address


def test_there_are_only_tcp_monitors_here_newest_first(alice: ApiClient, tcp_alice: ApiClient) -> None:
    mine = [
        monitor(alice.account, type="tcp", url="tcp://127.0.0.1:9", options={}),
        monitor(alice.account, type="port", url="127.0.0.1:9", options={"protocol": "tcp"}),
    ]
    others = [
        monitor(alice.account, type="port", url="127.0.0.1:10", options={"protocol": "udp"}),
        monitor(alice.account),
    ]
    _, listed = tcp_alice.get("")
    assert [each["id"] for each in listed["data"]] == [encoded(each.pk) for each in reversed(mine)]
    for each in others:
        assert tcp_alice.get(f"/{encoded(each.pk)}")[0] == 404


def test_one_region_that_fails_alone_does_not_make_a_check_look_failed(tcp_alice: ApiClient) -> None:
    one = created(tcp_alice)
    made = Monitor.objects.get()
    record_evidence([result(made, "down", "eu", error_class="connect_timeout")])
    for region in ("us", "ap"):
        record_evidence([result(made, "up", region, round_id=7, connect_ms=3.6)])
    _, answer = tcp_alice.get(f"/{one['id']}")
    assert (answer["data"]["lastStatus"], answer["data"]["lastResponseTimeMs"]) == ("up", 4)
    _, page = tcp_alice.get(f"/{one['id']}/results")
    assert [(each["status"], each["responseTimeMs"]) for each in page["data"]] == [("up", 4)]


@pytest.mark.parametrize(("status", "shown"), [("up", "up"), ("down", "down"), ("unknown", None)])
def test_once_evidence_has_expired_the_state_tells_of_the_last_check(
    tcp_alice: ApiClient, status: str, shown: str | None
) -> None:
    one = created(tcp_alice)
    MonitorState.objects.update(status=status, last_check_at=NOW)
    last = {"lastCheckedAt": rfc3339(NOW), "lastStatus": shown, "lastResponseTimeMs": None}
    for answer in (tcp_alice.get(f"/{one['id']}")[1]["data"], tcp_alice.get("")[1]["data"][0]):
        assert {name: answer[name] for name in last} == last


def test_results_are_paged_newest_first_with_ids_that_stay(tcp_alice: ApiClient) -> None:
    path = f"/{created(tcp_alice)['id']}/results"
    made = Monitor.objects.get()
    record_evidence([result(made, "up", at=NOW + seconds(60 * number)) for number in range(5)])
    record_evidence([result(made, "missed", at=NOW + seconds(300))])
    _, whole = tcp_alice.get(path)
    _, page = tcp_alice.get(f"{path}?limit=2&offset=1")
    assert len(whole["data"]) == len({each["id"] for each in whole["data"]}) == 5
    assert page == {"data": whole["data"][1:3], "pagination": {"total": 5, "limit": 2, "offset": 1}}
    assert tcp_alice.get(f"{path}?limit=200")[0] == 200


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=abc", "limit=-1", "offset=-1", "offset=x", "limit=1.5"]
)
def test_bad_pages_are_refused_by_name(tcp_alice: ApiClient, query: str) -> None:
    path = f"/{created(tcp_alice)['id']}/results?{query}"
    status, answer = tcp_alice.get(path)
    assert (status, wrong(answer)) == (400, [query.partition("=")[0]])
    assert answer["error"]["message"] == "Invalid query parameters"


def test_a_list_asks_as_often_for_many_as_for_one(
    tcp_alice: ApiClient, django_assert_num_queries: Any
) -> None:
    tcp_alice.get("")
    for number in range(1, 4):
        made = monitor(tcp_alice.account, type="tcp", url=f"127.0.0.1:{number}", options={})
        record_evidence([result(made, "up")])
        with django_assert_num_queries(3):  # the key, the monitors, their newest checks
            assert len(tcp_alice.get("")[1]["data"]) == number


def test_the_order_of_refusals_is_key_scope_existence_body(tcp_alice: ApiClient) -> None:
    nothing = "/v1/tcp-monitors/tcpm_abc123"

    def put(scopes: list[str] | None, path: str) -> int:
        kind = KeyKind("uptime_", "tcp-monitors")
        key = issue_key(tcp_alice.account, "narrow", NOW, scopes, kind)[1] if scopes is not None else "none"
        client = Client(headers={"Authorization": f"Bearer {key}"})
        return client.put(path, "{", content_type="application/json").status_code

    exists = f"/v1/tcp-monitors/{created(tcp_alice)['id']}"
    assert put(None, nothing) == 401
    assert put(["tcp-monitors:read"], nothing) == 403
    assert put(["tcp-monitors:write"], nothing) == 404
    assert put(["tcp-monitors:write"], exists) == 400


def test_a_key_made_for_it_opens_nothing_else(tcp_alice: ApiClient) -> None:
    assert tcp_alice.key.startswith("uptime_")
    response = tcp_alice.http.get("/api/v1/monitors")
    assert (response.status_code, response.json()) == (
        403,
        {"error": "API key does not have monitors:read scope"},
    )


def test_a_native_key_without_scopes_opens_it_as_well(alice: ApiClient) -> None:
    assert alice.http.get("/v1/tcp-monitors").json() == {"data": []}


def test_a_cap_of_the_account_is_told_by_its_code(tcp_alice: ApiClient) -> None:
    Account.objects.update(monitor_limit=1)
    created(tcp_alice)
    status, answer = tcp_alice.post("", NEW | {"port": 7})
    assert (status, answer["error"]["code"]) == (400, "LIMIT_EXCEEDED")


def test_an_address_is_watched_once(tcp_alice: ApiClient) -> None:
    created(tcp_alice)
    status, answer = tcp_alice.post("", NEW | {"name": "again"})
    assert (status, wrong(answer)) == (400, ["host"])


def test_each_key_has_a_limit_of_its_own(alice: ApiClient, tcp_alice: ApiClient, settings: Any) -> None:
    first = tcp_alice.http.get("/v1/tcp-monitors")
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("100", "99")
    settings.KEY_REQUESTS_PER_MINUTE = 2
    other = ApiClient(alice.account, "tcp-monitors", "/v1/tcp-monitors")
    tcp_alice.get("")
    response = tcp_alice.http.get("/v1/tcp-monitors")
    assert (response.status_code, response.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert (response["X-RateLimit-Remaining"], int(response["Retry-After"]) > 0) == ("0", True)
    assert other.get("")[0] == alice.get("/monitors")[0] == 200


def test_without_a_key_the_address_is_counted(tcp_alice: ApiClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    answers = [Client().get("/v1/tcp-monitors") for _ in range(2)]
    assert [each.json()["error"]["code"] for each in answers] == ["UNAUTHORIZED", "RATE_LIMITED"]
    assert answers[1]["Retry-After"]


def test_our_own_failures_have_codes(tcp_alice: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TcpMonitorList, "get", lambda *_: 1 / 0)
    response = tcp_alice.http.get("/v1/tcp-monitors")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "INTERNAL_ERROR")


def test_trying_ports_by_update_suspends_as_by_create(tcp_alice: ApiClient) -> None:
    path = f"/{created(tcp_alice, host='8.8.8.8')['id']}"
    statuses = [tcp_alice.put(path, {"port": 6000 + number})[0] for number in range(12)]
    assert statuses == [200] * 10 + [403] * 2


@given(st.integers(1, LARGEST_ID))
def test_ids_are_letters_and_digits_and_lead_back(number: int) -> None:
    text = encoded(number)
    assert text.removeprefix("tcpm_").isalnum()
    assert decoded(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "tcpm_",
        "tcpm_1",
        "tcpm_000000",
        "tcpm_0000001",
        "tcpm_00000A",
        "tcpm_zzzzzzzzzzzzz",
        "x" * 99,
    ],
)
def test_no_other_text_is_an_id(tcp_alice: ApiClient, text: str) -> None:
    assert decoded(text) is None
    if text:
        assert tcp_alice.get(f"/{text}")[0] == 404


def test_scopes_are_the_formats_own(alice: ApiClient) -> None:
    assert TCP_SCOPES == ("tcp-monitors:read", "tcp-monitors:write")
    for format_, scopes, status in [
        ("tcp-monitors", ["tcp-monitors:read"], 200),
        ("tcp-monitors", ["monitors:read"], 400),
        ("native", ["tcp-monitors:read"], 400),
        ("gopher", None, 400),
    ]:
        body = {"label": "key", "format": format_, "scopes": scopes}
        assert alice.post("/keys", body)[0] == status


def test_a_rotated_key_keeps_its_scheme_and_format(alice: ApiClient) -> None:
    _, made = alice.post("/keys", {"label": "terraform", "format": "tcp-monitors"})
    assert (made["format"], made["scopes"]) == ("tcp-monitors", list(TCP_SCOPES))
    _, new = alice.post(f"/keys/{made['id']}/rotate", None)
    assert new["key"].startswith("uptime_")
    assert (new["format"], new["prefix"]) == ("tcp-monitors", new["key"][:15])
    client = Client(headers={"Authorization": f"Bearer {new['key']}"})
    assert client.get("/v1/tcp-monitors").status_code == 200
