"""The documented examples and sentences of the native format, as data: golden/native.json.

An answer may hold more than the example; what the example names must be there. `<int>`, `<instant>`,
`<text>` and `<whs_live>` stand for any value of that kind, `{monitor}` and its like for an id.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from accounts.models import ApiKey
from monitors.evidence import record_evidence
from tests.api.conftest import ApiClient
from tests.api.test_incidents import incident
from tests.make import monitor, result

EXAMPLES = json.loads((Path(__file__).parent / "golden" / "native.json").read_text())

KINDS = {
    "<int>": lambda value: type(value) is int,
    "<text>": lambda value: isinstance(value, str) and value != "",
    "<instant>": lambda value: bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", value)),
    "<whs_live>": lambda value: bool(re.fullmatch(r"whs_live_[A-Za-z0-9]+", value)),
}


def matches(example: Any, value: Any, ids: dict[str, int]) -> bool:
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


@pytest.fixture
def ids(alice: ApiClient) -> dict[str, int]:
    """What the examples are about: a monitor that is up, an incident that is over, the only key."""
    made = monitor(alice.account, name="api-prod")
    record_evidence([result(made, "up", "us", ttfb_ms=174.2)])
    key = ApiKey.objects.get()
    return {"monitor": made.pk, "incident": incident(made).pk, "key": key.pk}


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["name"] for example in EXAMPLES])
def test_a_documented_example_holds(alice: ApiClient, ids: dict[str, int], example: dict[str, Any]) -> None:
    method, path, *body = example["request"]
    for name, id_ in ids.items():
        path = path.replace(f"{{{name}}}", str(id_))
    status, answer = alice(method, path, *body)
    assert status == example["status"]
    assert matches(example["answer"], answer, ids), answer


def test_an_example_that_does_not_hold_would_be_noticed() -> None:
    assert not matches({"id": "<int>"}, {"id": "7"}, {})
    assert not matches({"at": "<instant>"}, {"at": "2026-05-07T10:21:00"}, {})
    assert not matches([{"id": "{monitor}"}], [{"id": 8}], {"monitor": 7})
    assert not matches({"name": "x"}, {}, {})
    assert not matches([], [1], {})
