"""Another account's anything does not exist: every route and method, found by walking the URLs.

A route without a case here fails the test, so that no new one is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from accounts.keys import issue_key
from accounts.models import ApiKey
from api.base import View
from api.urls import urlpatterns
from tests.api.conftest import ApiClient
from tests.api.test_deliveries import deliver
from tests.api.test_incidents import incident
from tests.make import monitor

METHODS = ("GET", "POST", "PUT", "DELETE")

OWNED: dict[str, Callable[[ApiClient], int]] = {
    "v1/monitors/<str:id_text>": lambda owner: monitor(owner.account).pk,
    "v1/monitors/<str:id_text>/latency": lambda owner: monitor(owner.account).pk,
    "v1/monitors/<str:id_text>/results": lambda owner: monitor(owner.account).pk,
    "v1/monitors/<str:id_text>/uptime": lambda owner: monitor(owner.account).pk,
    "v1/monitors/<str:id_text>/rounds": lambda owner: monitor(owner.account).pk,
    "v1/monitors/<str:id_text>/test": lambda owner: monitor(owner.account).pk,
    "v1/monitors/<str:id_text>/webhook": lambda owner: monitor(owner.account).pk,
    "v1/monitors/<str:id_text>/webhook/rotate": lambda owner: monitor(owner.account).pk,
    "v1/monitors/<str:id_text>/webhook/test": lambda owner: monitor(owner.account).pk,
    "v1/webhook-deliveries/<str:id_text>": lambda owner: deliver(monitor(owner.account)).pk,
    "v1/webhook-deliveries/<str:id_text>/replay": lambda owner: deliver(monitor(owner.account)).pk,
    "v1/incidents/<str:id_text>": lambda owner: incident(monitor(owner.account)).pk,
    "v1/keys/<str:id_text>": lambda owner: ApiKey.objects.get(account=owner.account).pk,
    "v1/keys/<str:id_text>/rotate": lambda owner: ApiKey.objects.get(account=owner.account).pk,
}
"""Routes with an id, and how to make an object that somebody else owns."""
LISTS = (
    "v1/monitors",
    "v1/incidents",
    "v1/keys",
    "v1/webhook-deliveries",
    "v1/account",
    "v1/feeds",
    "v1/feeds/rotate",
    "v1/feeds/shared",
)
"""Routes without an id: their own tests show that they hold nothing of others."""


def views() -> Iterator[tuple[str, type[View]]]:
    """Every route of the API, with its view."""
    for pattern in urlpatterns:
        view = getattr(pattern.callback, "view_class", None) if isinstance(pattern, URLPattern) else None
        if view is not None:
            yield str(pattern.pattern), view


CALLS = [(route, method) for route, view in views() for method in METHODS if hasattr(view, method.lower())]


def path_of(route: str, owner: ApiClient) -> str:
    return "/api/" + route.replace("<str:id_text>", str(OWNED[route](owner)) if route in OWNED else "")


def call(method: str, path: str, key: str = "") -> tuple[int, Any]:
    client = Client(headers={"Authorization": f"Bearer {key}"} if key else {})
    body = b'{"name": "mine", "url": "http://127.0.0.1:9/", "label": "mine"}'
    response = client.generic(method, path, body, content_type="application/json")
    return response.status_code, response.json()


def test_every_route_has_a_case() -> None:
    assert {route for route, _ in views()} == {*OWNED, *LISTS}


@pytest.mark.parametrize(("route", "method"), [each for each in CALLS if each[0] in OWNED])
def test_what_another_account_owns_is_not_found(
    alice: ApiClient, bob: ApiClient, route: str, method: str
) -> None:
    path = path_of(route, bob)
    status, answer = call(method, path, alice.key)
    assert status == 404
    assert answer["error"].endswith(" not found")


@pytest.mark.parametrize(("route", "method"), CALLS)
def test_without_a_key_nothing_is_answered(bob: ApiClient, route: str, method: str) -> None:
    assert call(method, path_of(route, bob)) == (401, {"error": "missing authorization"})


@pytest.mark.parametrize(("route", "method"), CALLS)
def test_a_revoked_key_opens_nothing(bob: ApiClient, route: str, method: str) -> None:
    path = path_of(route, bob)
    ApiKey.objects.filter(account=bob.account).update(expires_at=timezone.now())
    assert call(method, path, bob.key) == (401, {"error": "invalid credentials"})


@pytest.mark.parametrize(("route", "method"), CALLS)
def test_a_key_without_the_scope_opens_nothing(bob: ApiClient, route: str, method: str) -> None:
    path = path_of(route, bob)
    key = issue_key(bob.account, "narrow", timezone.now(), [])[1]
    status, answer = call(method, path, key)
    assert status == 403
    assert answer["error"].startswith("API key does not have ")
