"""Clients of the API: alice and bob, each with an account and a key, and nothing spent of their limits.

Alice has keys for other formats, too.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from redis import Redis

from accounts import limits
from accounts.keys import issue_key
from accounts.models import Account
from api.key_formats import KEY_FORMATS, NATIVE
from api.schema.document import TABLES
from tests import make
from tests.api.contract import check_answer


class ApiClient:
    """Calls the API as one account; answers are (status, JSON), and as the OpenAPI document says."""

    def __init__(self, account: Account, format_name: str = NATIVE, base: str = "/api/v1") -> None:
        format_ = KEY_FORMATS[format_name]
        self.account, self.base = account, base
        self.document = format_name if format_name in TABLES else NATIVE
        self.key = issue_key(account, "test", make.NOW, format_.unlimited, format_.kind)[1]
        self.http = Client(headers={"Authorization": f"Bearer {self.key}"})

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        response = self.http.generic(method, f"{self.base}{path}", **_encoded(content))
        check_answer(method, f"{self.base}{path}", response, self.document)
        return response.status_code, response.json() if response.content else None

    def get(self, path: str) -> tuple[int, Any]:
        return self("GET", path)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        return self("POST", path, body)

    def put(self, path: str, body: Any) -> tuple[int, Any]:
        return self("PUT", path, body)

    def delete(self, path: str) -> tuple[int, Any]:
        return self("DELETE", path)


def _encoded(content: dict[str, Any]) -> dict[str, Any]:
    if content and not isinstance(content["data"], str | bytes):
        content["data"] = json.dumps(content["data"])
    return content


@pytest.fixture(autouse=True)
def unspent_limits() -> None:
    """The client's address, and maybe an account's id, are those of the test before."""
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{limits.PREFIX}*", count=1000):
            redis.delete(key)


@pytest.fixture
def alice(db: None) -> ApiClient:
    return ApiClient(make.account("alice"))


@pytest.fixture
def bob(db: None) -> ApiClient:
    return ApiClient(make.account("bob"))


@pytest.fixture
def tcp_alice(alice: ApiClient) -> ApiClient:
    """Alice, by /v1/tcp-monitors."""
    return ApiClient(alice.account, "tcp-monitors", "/v1/tcp-monitors")


@pytest.fixture
def check_alice(alice: ApiClient) -> ApiClient:
    """Alice, by /uptime-checks."""
    return ApiClient(alice.account, base="/uptime-checks")


@pytest.fixture
def flat_alice(alice: ApiClient) -> ApiClient:
    """Alice, by a key that is answered flat."""
    return ApiClient(alice.account, "flat")
