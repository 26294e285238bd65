"""Who is let in: the contract's 401 and 403, as JSON, before anything else is looked at."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, ApiKey
from tests.api.conftest import ApiClient
from tests.make import NOW

PATHS = [
    "/api/v1/monitors",
    "/api/v1/monitors/1",
    "/api/v1/monitors/1/webhook",
    "/api/v1/incidents",
    "/api/v1/incidents/1",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "missing authorization"),
        ({"Authorization": "Bearer umk_live_nobody"}, "invalid credentials"),
        ({"Authorization": "Bearer"}, "invalid credentials"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "invalid credentials"),
        ({"Authorization": "Bearer \x00\ufffd".encode().decode("latin-1")}, "invalid credentials"),
    ],
)
@pytest.mark.django_db
def test_without_a_valid_key_every_route_answers_401(
    path: str, headers: dict[str, str], message: str
) -> None:
    response = Client(headers=headers).get(path)
    assert (response.status_code, response.json()) == (401, {"error": message})
    assert response["Content-Type"] == "application/json"
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_is_refused(alice: ApiClient) -> None:
    ApiKey.objects.update(expires_at=timezone.now())
    assert alice.get("/monitors") == (401, {"error": "invalid credentials"})


def test_a_suspended_account_is_told_so(alice: ApiClient) -> None:
    Account.objects.update(suspended_at=NOW)
    assert alice.get("/monitors") == (403, {"error": "account suspended; contact support"})


def test_the_scheme_is_not_case_sensitive(alice: ApiClient) -> None:
    assert Client(headers={"Authorization": f"bearer {alice.key}"}).get("/api/v1/monitors").status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1", "/api/v1/nothing", "/api/v1/monitors/", "/api/v2/monitors"]
)
def test_an_unknown_path_is_a_json_404(path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response.json()) == (404, {"error": "not found"})


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_a_wrong_method_is_a_json_405(alice: ApiClient, method: str) -> None:
    assert alice(method, "/monitors/1", {}) == (405, {"error": "method not allowed"})
