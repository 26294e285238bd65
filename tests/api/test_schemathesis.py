"""The API asked what its document allows, and what it does not: a short form of `make fuzz-api`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from config.wsgi import application
from tests.api.conftest import ApiClient
from tests.api.test_tenants import OWNED

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
Ids = Callable[[str], int | str]


def from_here(environ: dict[str, Any], start_response: Any) -> Any:
    """The web process; it is told who calls, as by any server."""
    return application({"REMOTE_ADDR": "127.0.0.1"} | environ, start_response)


def described(path: str) -> OpenApiSchema:
    """The operations of a document, each to be asked a few times."""
    schema = schemathesis.openapi.from_wsgi(path, from_here)
    schema.config.generation.update(max_examples=10, deterministic=True)
    return schema


schema = described("/openapi.json")
flat_schema = described("/openapi-flat.json")


@pytest.fixture
def ids(alice: ApiClient) -> Ids:
    """By an operation's path the id of an object that alice owns."""

    @functools.cache
    def id_of(path: str) -> int | str:
        return OWNED[path.removeprefix("/").replace("{id}", "<str:id_text>")](alice)

    return id_of


@pytest.fixture(autouse=True)
def no_limits(settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = settings.MONITOR_CREATIONS_PER_MINUTE = 0
    settings.KEY_REQUESTS_PER_MINUTE = 0


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A request leaves open the connection in whose transaction the test is, as with Django's own client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(suppress_health_check=list(HealthCheck), deadline=None)
def test_every_answer_is_documented(case: schemathesis.Case[Any], alice: ApiClient, ids: Ids) -> None:
    aim(case, ids)
    case.call_and_validate(headers={"Authorization": f"Bearer {alice.key}"}, checks=checks_of(case))


@flat_schema.parametrize()
@settings(suppress_health_check=list(HealthCheck), deadline=None)
def test_every_flat_answer_is_documented(
    case: schemathesis.Case[Any], flat_alice: ApiClient, ids: Ids
) -> None:
    aim(case, ids)
    case.call_and_validate(headers={"Authorization": f"Bearer {flat_alice.key}"}, checks=checks_of(case))


def checks_of(case: schemathesis.Case[Any]) -> list[Any]:
    """All checks; but what is wrong with the headers alone is mended by ours, and must not be refused."""
    headers = case.meta and case.meta.components.get(ParameterLocation.HEADER)
    if headers and not headers.mode.is_positive:
        return [check for check in CHECKS if check is not negative_data_rejection]
    return CHECKS


def aim(case: schemathesis.Case[Any], ids: Ids) -> None:
    """Turn every second id that is one to an object that exists: by chance none would be met."""
    path = case.meta and case.meta.components.get(ParameterLocation.PATH)
    if path and path.mode.is_positive and crc32(str(case.path_parameters["id"]).encode()) % 2:
        case.path_parameters["id"] = ids(case.operation.path)
