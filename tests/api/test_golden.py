"""The documented examples and sentences of each format, as data: golden/*.json.

An answer may hold more than the example; what the example names must be there. `<int>`, `<instant>`,
`<text>` and `<whs_live>` stand for any value of that kind, `{monitor}` and its like for an id. `as` names who
asks, unless it is a key that may do everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from accounts.models import Account, ApiKey
from api.dialects.tcp_monitors.ids import encoded
from monitors.assignments import region_of
from monitors.evidence import record_evidence
from monitors.reports import record_looks
from probes.instants import unix_ms
from probes.messages import Certificate
from tests.api.conftest import ApiClient
from tests.api.test_incidents import incident
from tests.make import NOW, assigned, monitor, result, seconds, server

GOLDEN = Path(__file__).parent / "golden"

KINDS: dict[str, Callable[[Any], bool]] = {
    "<any>": lambda value: True,
    "<int>": lambda value: type(value) is int,
    "<text>": lambda value: isinstance(value, str) and value != "",
    "<instant>": lambda value: bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", value)),
    "<whs_live>": lambda value: bool(re.fullmatch(r"whs_live_[A-Za-z0-9]+", value)),
    "<tcpm>": lambda value: bool(re.fullmatch(r"tcpm_[A-Za-z0-9]+", value)),
    "<tcpr>": lambda value: bool(re.fullmatch(r"tcpr_[A-Za-z0-9]+", value)),
}
SCOPES_OF = {"reader": ["tcp-monitors:read"], "nothing": []}


def examples(name: str) -> pytest.MarkDecorator:
    """Runs a test for every example of a file."""
    rows = json.loads((GOLDEN / f"{name}.json").read_text())
    return pytest.mark.parametrize("example", rows, ids=[row["name"] for row in rows])


def matches(example: Any, value: Any, ids: dict[str, Any]) -> bool:
    """Whether `value` is as the example says, and more at most."""
    if isinstance(example, dict):
        return isinstance(value, dict) and all(
            name in value and matches(member, value[name], ids) for name, member in example.items()
        )
    if isinstance(example, list):
        return len(example) == len(value) and all(map(matches, example, value, [ids] * len(value)))
    if isinstance(example, str) and example in KINDS:
        return KINDS[example](value)
    if isinstance(example, str) and example.startswith("{"):
        return bool(value == ids[example[1:-1]])
    return bool(example == value)


def assert_holds(client: ApiClient, ids: dict[str, Any], example: dict[str, Any]) -> Any:
    """Ask what the example asks, and compare; return the answer."""
    method, path, *body = example["request"]
    for name, id_ in ids.items():
        path = path.replace(f"{{{name}}}", str(id_))
    status, answer = client(method, path, *body)
    assert status == example["status"], answer
    assert matches(example["answer"], answer, ids), answer
    return answer


def with_ids(example: Any, ids: dict[str, int]) -> Any:
    """The example with ids for their names, also in what is sent."""
    text = json.dumps(example)
    for name, id_ in ids.items():
        text = text.replace(f'"{{{name}}}"', str(id_))
    return json.loads(text)


@pytest.fixture
def ids(alice: ApiClient) -> dict[str, int]:
    """What the native examples are about: a monitor that is up, an incident that is over, the only key."""
    made = monitor(alice.account, name="api-prod")
    record_evidence([result(made, "up", "us", ttfb_ms=174.2)])
    key = ApiKey.objects.get()
    return {"monitor": made.pk, "incident": incident(made).pk, "key": key.pk}


@pytest.fixture
def tcp_ids(tcp_alice: ApiClient) -> dict[str, str]:
    """What the examples of TCP monitors are about: one that timed out, was refused, and is up."""
    fields: dict[str, Any] = {"type": "tcp", "url": "db.example.com:5432", "options": {}, "timeout_ms": 5000}
    made = monitor(tcp_alice.account, name="PostgreSQL Production", **fields)
    slow = {"error_class": "connect_timeout", "error": "no connection within 5 s"}
    refused = {"error_class": "refused", "error": "Connection refused"}
    record_evidence([result(made, "down", at=NOW - seconds(120), status_code=None, **refused)])
    record_evidence([result(made, "down", at=NOW - seconds(60), status_code=None, **slow)])
    record_evidence([result(made, "up", status_code=None, connect_ms=45.2)])
    return {"monitor": encoded(made.pk)}


@pytest.fixture
def flat_ids(flat_alice: ApiClient) -> dict[str, int]:
    """What the flat examples are about: a monitor that is up, and its account."""
    fields: dict[str, Any] = {
        "url": "http://127.0.0.1:9/healthz",
        "interval_seconds": 300,
        "timeout_ms": 5000,
    }
    options = {"expected_status": 200, "latency_warn_ms": 1000}
    made = monitor(flat_alice.account, name="Production API", options=options, **fields)
    record_evidence([result(made, "up")])
    return {"monitor": made.pk, "account": flat_alice.account.pk}


@pytest.fixture
def check_ids(check_alice: ApiClient) -> dict[str, int]:
    """What the examples of checks are about: one that is up from two servers, and one that nobody saw."""
    owner = check_alice.account
    servers = [server(owner, hostname=f"web-0{number}.prod") for number in (1, 2)]
    options = {"expected_status": [[200, 201], [204, 204]], "body_match": "ok", "max_latency_ms": 2000}
    fields = {"url": "https://api.example.com/health", "options": options, "muted_events": ["monitor.up"]}
    made = assigned(*servers, name="Production API", **fields)
    quiet = assigned(servers[0], url="127.0.0.1:443", type="ssl", status="unknown", options={"warn_days": 7})
    now = timezone.now()
    certificate = Certificate(
        issuer="", expires_at_ms=0, chain_expires_at_ms=unix_ms(now + seconds(73.5 * 86400))
    )
    for number, each in enumerate(servers):
        seen = result(made, "up", region_of(each.pk), at=now - seconds(number), total_ms=142.4)
        record_looks(each, [msgspec.structs.replace(seen, certificate=certificate)], now)
    ids = {"check": made.pk, "quiet": quiet.pk, "account": owner.pk}
    return ids | {"first": servers[0].pk, "second": servers[1].pk}


@examples("native")
def test_a_documented_example_holds(alice: ApiClient, ids: dict[str, int], example: dict[str, Any]) -> None:
    assert_holds(alice, ids, example)


@examples("tcp_monitors")
def test_a_documented_example_of_tcp_monitors_holds(
    tcp_alice: ApiClient, tcp_ids: dict[str, str], example: dict[str, Any]
) -> None:
    tcp_alice.base = ""
    who = example.get("as")
    if who == "nobody":
        tcp_alice.http.defaults.pop("HTTP_AUTHORIZATION")
    elif who:
        ApiKey.objects.filter(format="tcp-monitors").update(scopes=SCOPES_OF[who])
    assert_holds(tcp_alice, tcp_ids, example)


@examples("flat")
def test_a_documented_example_of_the_flat_format_holds(
    flat_alice: ApiClient, flat_ids: dict[str, int], example: dict[str, Any]
) -> None:
    assert_holds(flat_alice, flat_ids, example)


@examples("uptime_checks")
def test_a_documented_example_of_uptime_checks_holds(
    check_alice: ApiClient, check_ids: dict[str, int], example: dict[str, Any]
) -> None:
    check_alice.base = ""
    Account.objects.update(monitor_limit=example.get("limit", 25))
    assert_holds(check_alice, check_ids, with_ids(example, check_ids))


def test_an_example_that_does_not_hold_would_be_noticed() -> None:
    assert not matches({"id": "<int>"}, {"id": "7"}, {})
    assert not matches({"at": "<instant>"}, {"at": "2026-05-07T10:21:00"}, {})
    assert not matches([{"id": "{monitor}"}], [{"id": 8}], {"monitor": 7})
    assert not matches({"name": "x"}, {}, {})
    assert not matches([], [1], {})
