"""The OpenAPI document: valid, whole, and served with a page that fetches nothing from elsewhere.

That the API answers what it says is checked on every answer of the API's tests: see `tests.api.contract`.
"""

from __future__ import annotations

import re

import jsonschema_rs
import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from api.schema.answers.common import Seen
from api.schema.document import TABLES, document
from api.schema.operations import OPERATIONS
from probes.messages import TIMINGS
from tests.api.contract import validator
from tests.api.test_tenants import METHODS, views

EXTERNAL = re.compile(r"""(?:src|href)=["']?(?:[a-z]+:)?//""")


def test_every_method_of_every_route_is_described() -> None:
    routes = {view: {method for method in METHODS if hasattr(view, method.lower())} for _, view in views()}
    assert {view: set(methods) for view, methods in OPERATIONS.items()} == routes


@pytest.mark.parametrize("name", TABLES)
def test_it_is_valid_and_made_without_a_warning(name: str) -> None:
    validate_schema(document(name))  # type: ignore[no-untyped-call]
    assert document(name)["openapi"] == "3.1.1"
    assert not GENERATOR_STATS


@pytest.mark.parametrize("name", TABLES)
def test_every_operation_has_a_name_of_its_own_wants_a_key_and_says_how_it_refuses(name: str) -> None:
    operations = [each for methods in document(name)["paths"].values() for each in methods.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        assert each["security"] == [{"key": []}]
        assert {"401", "403", "429", "500", "503"} < set(each["responses"])
        assert set(each["responses"]["429"]["headers"]) == {
            *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")
        }


@pytest.mark.parametrize(
    ("change", "is_taken"),
    [
        ({}, True),
        ({"colour": "red"}, True),
        ({"name": "x" * 255, "body_match": None}, True),
        ({"name": "x" * 256}, False),
        ({"name": " \x85"}, False),
        ({"name": "a\nb"}, False),
        ({"body_match": "a\nb"}, True),
        ({"expected_status": "204"}, True),
        ({"expected_status": 204}, True),
        ({"expected_status": "200-399"}, False),
        ({"interval_sec": 86_401}, False),
        ({"interval_sec": 0}, False),
        ({"type": "gopher"}, False),
        ({"enabled": None}, False),
    ],
)
def test_the_bounds_of_what_is_sent_are_in_it(change: dict[str, object], is_taken: bool) -> None:
    body = {"name": "site", "url": "http://127.0.0.1:9/", "type": "http"} | change
    schema = {"$ref": "#/components/schemas/MonitorInput"}
    lenient = jsonschema_rs.Draft202012Validator(schema | {"components": document()["components"]})
    assert lenient.is_valid(body) is is_taken


def test_an_answer_with_a_member_that_is_not_in_it_would_be_noticed() -> None:
    error = validator({"$ref": "#/components/schemas/Error"})
    assert error.is_valid({"error": "not found"})
    assert not error.is_valid({"error": "not found", "code": 7})
    assert not error.is_valid({"error": None})


def test_all_timings_are_described() -> None:
    assert set(TIMINGS) <= set(Seen.__annotations__)


@pytest.mark.parametrize(("path", "name"), [("/openapi.json", "native"), ("/openapi-flat.json", "flat")])
def test_it_is_served_to_everyone(path: str, name: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json() == document(name)
    assert len({str(document(each)) for each in TABLES}) == len(TABLES)


def test_the_page_and_its_assets_come_from_here_alone() -> None:
    page = Client().get("/docs")
    assert page.status_code == 200
    assert "unsafe-eval" not in page["Content-Security-Policy"]
    text = page.content.decode()
    assert not EXTERNAL.search(text)
    assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
    assert len(assets) == 4
    for asset in assets:
        response = Client().get(asset)
        assert (response.status_code, bool(response.getvalue())) == (200, True)
