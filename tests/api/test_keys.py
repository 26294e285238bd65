"""Keys over the API: shown once, limited, rotated with a grace, and never the last one gone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from tests.api.conftest import ApiClient
from tests.make import monitor


def with_key(key: str, path: str, method: str = "GET") -> int:
    client = Client(headers={"Authorization": f"Bearer {key}"})
    return client.generic(method, f"/api/v1{path}").status_code


def test_a_key_is_created_listed_and_its_plain_text_never_shown_again(alice: ApiClient) -> None:
    status, made = alice.post("/keys", {"label": "ci-prod"})
    assert status == 200
    assert re.fullmatch(r"umk_live_[A-Za-z0-9]{40}", made["key"])
    plain = made.pop("key")
    assert set(made) == {"id", "label", "prefix", "scopes", "created_at", "last_used_at"}
    assert (made["label"], made["scopes"], made["last_used_at"]) == ("ci-prod", None, None)
    assert plain.startswith(made["prefix"])
    _, listed = alice.get("/keys")
    assert listed[1] == made
    assert plain not in str(listed)
    assert with_key(plain, "/monitors") == 200
    assert alice.get("/keys")[1][1]["last_used_at"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "label is required"),
        ({"label": ""}, "label must be at least 3 characters"),
        ({"label": "ab"}, "label must be at least 3 characters"),
        ({"label": "x" * 101}, "label must be 100 characters or less"),
        ({"label": 7}, "label must be a string"),
        ({"label": "a\0bc"}, "label must not contain control characters"),
        ({"label": "abc", "scopes": "monitors:read"}, "scopes must be a list of some of: "),
        ({"label": "abc", "scopes": ["root"]}, "scopes must be a list of some of: "),
    ],
)
def test_a_bad_key_is_refused(alice: ApiClient, body: Any, message: str) -> None:
    status, answer = alice.post("/keys", body)
    assert status == 400
    assert answer["error"].startswith(message)
    assert ApiKey.objects.count() == 1


def test_an_account_holds_ten(alice: ApiClient) -> None:
    for number in range(9):
        assert alice.post("/keys", {"label": f"key {number}"})[0] == 200
    assert alice.post("/keys", {"label": "one more"}) == (409, {"error": "key limit reached"})


def test_a_rotated_key_is_valid_for_five_minutes_more(alice: ApiClient) -> None:
    _, (old,) = alice.get("/keys")
    status, new = alice.post(f"/keys/{old['id']}/rotate", None)
    assert (status, new["label"]) == (200, "test")
    assert with_key(new["key"], "/monitors") == with_key(alice.key, "/monitors") == 200
    ends = ApiKey.objects.get(pk=old["id"]).expires_at
    assert ends
    assert timedelta(minutes=4.9) < ends - timezone.now() <= timedelta(minutes=5)
    ApiKey.objects.filter(pk=old["id"]).update(expires_at=timezone.now())
    assert with_key(alice.key, "/monitors") == 401


def test_a_key_is_rotated_once(alice: ApiClient) -> None:
    _, (old,) = alice.get("/keys")
    alice.post(f"/keys/{old['id']}/rotate", None)
    ends = ApiKey.objects.get(pk=old["id"]).expires_at
    assert alice.post(f"/keys/{old['id']}/rotate", None) == (404, {"error": "key not found"})
    assert ApiKey.objects.get(pk=old["id"]).expires_at == ends
    assert ApiKey.objects.count() == 2


def test_rotation_is_not_held_up_by_the_limit_and_the_old_key_counts_no_more(alice: ApiClient) -> None:
    for number in range(9):
        alice.post("/keys", {"label": f"key {number}"})
    first = alice.get("/keys")[1][0]["id"]
    assert alice.post(f"/keys/{first}/rotate", None)[0] == 200
    assert alice.post("/keys", {"label": "one more"})[0] == 409


def test_the_last_lasting_key_cannot_be_deleted(alice: ApiClient) -> None:
    _, (only,) = alice.get("/keys")
    assert alice.delete(f"/keys/{only['id']}") == (409, {"error": "cannot delete last key"})
    _, second = alice.post("/keys", {"label": "second"})
    assert alice.delete(f"/keys/{second['id']}") == (204, None)
    assert with_key(second["key"], "/monitors") == 401
    alice.post(f"/keys/{only['id']}/rotate", None)
    assert alice.delete(f"/keys/{only['id']}") == (204, None)


@pytest.mark.parametrize(("method", "suffix"), [("DELETE", ""), ("POST", "/rotate")])
def test_ids_that_are_no_number_unknown_or_anothers(
    alice: ApiClient, bob: ApiClient, method: str, suffix: str
) -> None:
    theirs = bob.get("/keys")[1][0]["id"]
    assert alice(method, f"/keys/abc{suffix}") == (400, {"error": "invalid key ID"})
    for unknown in (theirs, theirs + 999):
        assert alice(method, f"/keys/{unknown}{suffix}") == (404, {"error": "key not found"})
    assert bob.get("/monitors")[0] == 200


@pytest.mark.parametrize(
    ("scopes", "method", "path", "missing"),
    [
        (["monitors:read"], "GET", "/monitors", ""),
        (["monitors:write"], "GET", "/monitors", ""),
        (["monitors:read"], "DELETE", "/monitors/{id}", "monitors:write"),
        (["monitors:write"], "GET", "/incidents", "incidents:read"),
        (["monitors:write"], "GET", "/monitors/{id}/webhook", "webhooks:read"),
        (["incidents:read"], "GET", "/keys", "account:read"),
        (["account:read"], "POST", "/keys", "account:write"),
        ([], "GET", "/monitors", "monitors:read"),
    ],
)
def test_a_key_with_scopes_does_what_they_allow_and_no_more(
    alice: ApiClient, scopes: list[str], method: str, path: str, missing: str
) -> None:
    _, made = alice.post("/keys", {"label": "narrow", "scopes": scopes})
    client = Client(headers={"Authorization": f"Bearer {made['key']}"})
    response = client.generic(method, "/api/v1" + path.format(id=monitor(alice.account).pk))
    if missing:
        refusal = {"error": f"API key does not have {missing} scope"}
        assert (response.status_code, response.json()) == (403, refusal)
    else:
        assert response.status_code == 200
