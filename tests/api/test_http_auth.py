"""Credentials of http monitors: sealed where they are stored and sent, and never shown again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings

from monitors.models import Monitor
from monitors.targets import TARGETS
from probes.credentials import FIELD
from probes.messages import HttpTarget, SealedHeader
from probes.vault import Vault
from tests.api.conftest import ApiClient

BASIC = {"http_auth_type": "basic", "http_auth_username": "ana", "http_auth_password": "s3cret"}
HEADER = {"http_auth_type": "header", "http_auth_header": "X-Api-Key", "http_auth_value": "k3y"}
SITE = {"name": "site", "url": "http://127.0.0.1:9/", "type": "http"}


def sent() -> SealedHeader | None:
    """What the probe is told."""
    made = Monitor.objects.get()
    target = TARGETS[made.type](made.url, made.options)
    assert isinstance(target, HttpTarget)
    return target.auth


@pytest.mark.parametrize(
    ("given", "header"),
    [
        (BASIC, ("Authorization", "Basic YW5hOnMzY3JldA==")),
        (HEADER, ("X-Api-Key", "k3y")),
    ],
)
@pytest.mark.parametrize("type_", [{}, {"type": "keyword", "keyword": "ok"}])
def test_they_reach_the_probe_sealed_and_are_not_shown(
    alice: ApiClient, given: dict[str, str], header: tuple[str, str], type_: dict[str, str]
) -> None:
    status, body = alice.post("/monitors", SITE | given | type_)
    assert status == 200
    auth = sent()
    assert auth
    opened = Vault(settings.ENCRYPTION_KEYS).unseal(auth.token, account=alice.account.pk, field=FIELD)
    assert (auth.name, opened) == header
    shown = body["monitor"]
    assert (shown["http_auth_type"], shown["http_auth_configured"]) == (given["http_auth_type"], True)
    stored = json.dumps([body, Monitor.objects.get().options])
    assert not [secret for secret in ("s3cret", "k3y", "ana", header[1]) if secret in stored]


def test_an_update_that_says_nothing_of_them_keeps_them(alice: ApiClient) -> None:
    _, body = alice.post("/monitors", SITE | BASIC)
    before = sent()
    alice.put(f"/monitors/{body['monitor']['id']}", {"name": "other"})
    assert sent() == before


def test_none_forgets_them(alice: ApiClient) -> None:
    _, body = alice.post("/monitors", SITE | BASIC)
    _, changed = alice.put(f"/monitors/{body['monitor']['id']}", {"http_auth_type": "none"})
    assert sent() is None
    assert changed["monitor"]["http_auth_type"] == "none"
    assert changed["monitor"]["http_auth_configured"] is False


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"http_auth_type": "digest"}, "http_auth_type must be one of: none, basic, header"),
        ({"http_auth_type": "basic"}, "http_auth_username is required"),
        ({"http_auth_type": "basic", "http_auth_username": "a"}, "http_auth_password is required"),
        ({"http_auth_type": "header", "http_auth_header": "X"}, "http_auth_value is required"),
        ({"http_auth_password": "x"}, "http_auth_type is required with http_auth_password"),
        (BASIC | {"http_auth_username": "a:b"}, "http_auth_username must not contain a colon"),
        (BASIC | {"http_auth_header": "X"}, "http_auth_header does not fit http_auth_type basic"),
        (HEADER | {"http_auth_header": "Host"}, "http_auth_header is invalid: header Host cannot be set"),
        (HEADER | {"http_auth_header": "a b"}, "http_auth_header is invalid: 'a b' is not a header name"),
        (HEADER | {"http_auth_value": "a\r\nX: b"}, "http_auth_value must not contain control characters"),
    ],
)
def test_what_is_not_complete_is_refused_by_name(
    alice: ApiClient, change: dict[str, Any], sentence: str
) -> None:
    assert alice.post("/monitors", SITE | change) == (400, {"error": sentence})


def test_a_type_that_takes_none_ignores_them(alice: ApiClient) -> None:
    tcp = {"name": "port", "url": "127.0.0.1:9", "type": "tcp"}
    status, body = alice.post("/monitors", tcp | BASIC)
    assert (status, "auth" in Monitor.objects.get().options) == (200, False)
    assert "http_auth_type" not in body["monitor"]
