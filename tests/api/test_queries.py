"""How many statements an answer takes: no more for many rows than for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from monitors.evidence import record_evidence
from monitors.models import RegionalFailure
from tests.api.conftest import ApiClient
from tests.api.test_incidents import incident
from tests.make import NOW, live, monitor, result

CREATION = {"name": "new", "type": "tcp", "url": "127.0.0.1:9"}
Case = tuple[str, Callable[[ApiClient], str], Any, int]

CASES: list[Case] = [
    ("GET", lambda _: "/monitors", None, 3),
    ("GET", lambda owner: f"/monitors/{monitor_with_history(owner)}", None, 6),
    ("PUT", lambda owner: f"/monitors/{monitor_with_history(owner)}", {"name": "other"}, 18),
    ("POST", lambda _: "/monitors", CREATION, 26),
    ("GET", lambda _: "/incidents", None, 3),
    ("GET", lambda _: "/webhook-deliveries", None, 3),
    ("GET", lambda _: "/account", None, 3),
]


def monitor_with_history(owner: ApiClient) -> int:
    """One that is looked at often, and that fails from all regions but one."""
    made = monitor(owner.account, url="http://127.0.0.1:9/history")
    record_evidence([result(made, "up", region) for region in ("eu", "us", "ap")])
    for region in ("eu", "us"):
        RegionalFailure.objects.create(
            state_id=made.pk, region=region, since=NOW, seen_at=NOW, error_class="refused"
        )
    return made.pk


@pytest.mark.parametrize(("method", "path", "body", "queries"), CASES)
@pytest.mark.parametrize("others", [1, 20])
def test_it_takes_as_many_for_many_as_for_one(
    alice: ApiClient,
    django_assert_num_queries: Any,
    others: int,
    method: str,
    path: Callable[[ApiClient], str],
    body: Any,
    queries: int,
) -> None:
    live(now=timezone.now())
    for number in range(others):
        incident(monitor(alice.account, url=f"http://127.0.0.1:9/{number}"))
    alice.get("/account")  # the key's last use is noted once a minute
    url = path(alice)
    with django_assert_num_queries(queries):
        status, _ = alice(method, url, body)
    assert status == 200
