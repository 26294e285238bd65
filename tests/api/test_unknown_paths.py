"""Paths that are no route: refused in the shape of the format that they lie below, whatever the method."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

NATIVE = {"error": "not found"}
CODED = {"error": {"code": "NOT_FOUND", "message": "Not found"}}
CHECKS = {"error": "not_found", "message": "not found"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("path", "answer"),
    [
        *((path, NATIVE) for path in ("/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v1/monitors/")),
        *(
            (path, CODED)
            for path in ("/v1", "/v1/", "/v1/nothing", "/v1/tcp-monitors/", "/v1/tcp-monitors/tcpm_1/x")
        ),
        *((path, CHECKS) for path in ("/uptime-checks/", "/uptime-checks/1/", "/uptime-checks/1/results")),
        *((path, NATIVE) for path in ("/agent", "/agent/", "/agent/nothing", "/agent/heartbeat/")),
    ],
)
def test_an_unknown_path_is_refused_in_the_shape_of_its_format(
    method: str, path: str, answer: dict[str, Any]
) -> None:
    response = Client(enforce_csrf_checks=True).generic(method, path)
    assert (response.status_code, response.json()) == (404, answer)
