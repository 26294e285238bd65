"""Another account's anything does not exist: every route and method, found by walking the URLs.

A route without a case here fails the test, so that no new one is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from accounts.keys import issue_key
from accounts.models import ApiKey
from api.base import View
from api.dialects.tcp_monitors.errors import BAD_KEY
from api.dialects.tcp_monitors.ids import encoded
from api.formats import FORMATS, HEADER
from config.urls import urlpatterns
from tests.api.conftest import ApiClient
from tests.api.test_deliveries import deliver
from tests.api.test_incidents import incident
from tests.make import assigned, heartbeat, monitor, server

METHODS = ("GET", "POST", "PUT", "DELETE")


def tcp_monitor(owner: ApiClient) -> str:
    """The id, by /v1/tcp-monitors, of a monitor that `owner` has."""
    return encoded(monitor(owner.account, type="tcp", url="127.0.0.1:9", options={}).pk)


OWNED: dict[str, Callable[[ApiClient], int | str]] = {
    "api/v1/monitors/<str:id_text>": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/latency": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/results": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/uptime": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/heartbeat/rotate": lambda owner: heartbeat(owner.account)[0].pk,
    "api/v1/monitors/<str:id_text>/pause": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/resume": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/rounds": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/test": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/webhook": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/webhook/rotate": lambda owner: monitor(owner.account).pk,
    "api/v1/monitors/<str:id_text>/webhook/test": lambda owner: monitor(owner.account).pk,
    "api/v1/webhook-deliveries/<str:id_text>": lambda owner: deliver(monitor(owner.account)).pk,
    "api/v1/webhook-deliveries/<str:id_text>/replay": lambda owner: deliver(monitor(owner.account)).pk,
    "api/v1/incidents/<str:id_text>": lambda owner: incident(monitor(owner.account)).pk,
    "api/v1/servers/<str:id_text>": lambda owner: server(owner.account).pk,
    "api/v1/servers/<str:id_text>/token": lambda owner: server(owner.account).pk,
    "api/v1/keys/<str:id_text>": lambda owner: ApiKey.objects.get(account=owner.account).pk,
    "api/v1/keys/<str:id_text>/rotate": lambda owner: ApiKey.objects.get(account=owner.account).pk,
    "uptime-checks/<str:id_text>": lambda owner: assigned(server(owner.account)).pk,
    "v1/tcp-monitors/<str:id_text>": tcp_monitor,
    "v1/tcp-monitors/<str:id_text>/results": tcp_monitor,
}
"""Routes with an id, and how to make an object that somebody else owns."""
LISTS = (
    "uptime-checks",
    "v1/tcp-monitors",
    "api/v1/monitors",
    "api/v1/incidents",
    "api/v1/keys",
    "api/v1/servers",
    "api/v1/webhook-deliveries",
    "api/v1/account",
    "api/v1/feeds",
    "api/v1/feeds/rotate",
    "api/v1/feeds/shared",
)
"""Routes without an id: their own tests show that they hold nothing of others."""


def views(patterns: Iterable[Any] = urlpatterns, prefix: str = "") -> Iterator[tuple[str, type[View]]]:
    """Every route of the API, with its view."""
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "view_class", None)
            if isinstance(view, type) and issubclass(view, View):
                yield route, view


CALLS = [(route, method) for route, view in views() for method in METHODS if hasattr(view, method.lower())]


def path_of(route: str, owner: ApiClient) -> str:
    return "/" + route.replace("<str:id_text>", str(OWNED[route](owner)) if route in OWNED else "")


def call(method: str, path: str, key: str = "", **headers: str) -> tuple[int, Any]:
    client = Client(headers=headers | ({"Authorization": f"Bearer {key}"} if key else {}))
    body = b'{"name": "mine", "url": "http://127.0.0.1:9/", "label": "mine"}'
    response = client.generic(method, path, body, content_type="application/json")
    return response.status_code, response.json()


def expected(route: str, sentence: str) -> str:
    """How the route's format says it."""
    return BAD_KEY if route.startswith("v1/") else sentence


def sentence(answer: Any) -> str:
    """What a refusal says, in whichever format."""
    error = answer["error"]
    return str(answer.get("message", error) if isinstance(error, str) else error["message"])


def test_every_route_has_a_case() -> None:
    assert {route for route, _ in views()} == {*OWNED, *LISTS}


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(("route", "method"), [each for each in CALLS if each[0] in OWNED])
def test_what_another_account_owns_is_not_found(
    alice: ApiClient, bob: ApiClient, route: str, method: str, format_name: str
) -> None:
    path = path_of(route, bob)
    status, answer = call(method, path, alice.key, **{HEADER: format_name})
    assert status == 404
    assert sentence(answer).endswith(" not found")


@pytest.mark.parametrize(("route", "method"), CALLS)
def test_without_a_key_nothing_is_answered(bob: ApiClient, route: str, method: str) -> None:
    status, answer = call(method, path_of(route, bob))
    assert (status, sentence(answer)) == (401, expected(route, "missing authorization"))


@pytest.mark.parametrize(("route", "method"), CALLS)
def test_a_revoked_key_opens_nothing(bob: ApiClient, route: str, method: str) -> None:
    path = path_of(route, bob)
    ApiKey.objects.filter(account=bob.account).update(expires_at=timezone.now())
    status, answer = call(method, path, bob.key)
    assert (status, sentence(answer)) == (401, expected(route, "invalid credentials"))


@pytest.mark.parametrize(("route", "method"), CALLS)
def test_a_key_without_the_scope_opens_nothing(bob: ApiClient, route: str, method: str) -> None:
    path = path_of(route, bob)
    key = issue_key(bob.account, "narrow", timezone.now(), [])[1]
    status, answer = call(method, path, key)
    assert status == 403
    assert sentence(answer).startswith("API key does not have ")
