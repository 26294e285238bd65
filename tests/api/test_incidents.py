"""Incidents: list with filters and pages, and get."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from incidents.models import Incident
from monitors.models import Monitor
from tests.api.conftest import ApiClient
from tests.make import NOW, monitor, result, seconds


def incident(of: Monitor, at: float = 0, **fields: Any) -> Incident:
    """An incident that began `at` seconds after NOW, ended a minute later."""
    start = NOW + seconds(at)
    values: dict[str, Any] = {
        "account": of.account,
        "monitor": of,
        "type": "down",
        "reason": "http_5xx",
        "mode": "2-of-3",
        "resolution": "recovered",
        "started_at": start,
        "resolved_at": start + seconds(60),
        "evidence": [
            msgspec.to_builtins(result(of, "down", region, ttfb_ms=21.4)) for region in ("us", "eu")
        ],
        "created_at": start,
    }
    return Incident.objects.create(**(values | fields))


def test_an_incident_has_the_contracts_shape(alice: ApiClient) -> None:
    made = monitor(alice.account)
    one = incident(made)
    seen = {"timestamp": "2026-11-21T12:00:00.000000Z", "status_code": 503, "error_class": "http_5xx"}
    body = {
        "id": one.pk,
        "monitor_id": made.pk,
        "account_id": alice.account.pk,
        "type": "down",
        "reason": "http_5xx",
        "confirmation": {"mode": "2-of-3", "regions": ["eu", "us"]},
        "started_at": "2026-11-21T12:00:00.000000Z",
        "resolved_at": "2026-11-21T12:01:00.000000Z",
        "resolution": "recovered",
        "evidence": [{"region": region, **seen, "ttfb_ms": 21, "total_ms": 12} for region in ("US", "EU")],
        "created_at": "2026-11-21T12:00:00.000000Z",
    }
    assert alice.get(f"/incidents/{one.pk}") == (200, {"incident": body})
    assert alice.get("/incidents") == (200, {"incidents": [body], "total": 1, "limit": 50, "offset": 0})


def test_while_it_lasts_resolved_at_is_absent(alice: ApiClient) -> None:
    one = incident(monitor(alice.account), resolved_at=None)
    assert "resolved_at" not in alice.get(f"/incidents/{one.pk}")[1]["incident"]


def test_they_come_newest_first_in_pages_with_the_total_of_the_filter(
    alice: ApiClient, bob: ApiClient
) -> None:
    made, other = monitor(alice.account), monitor(alice.account, url="http://127.0.0.1:9/2")
    ids = [incident(made, at).pk for at in (0, 100, 200)]
    incident(other)
    incident(monitor(bob.account))
    _, body = alice.get(f"/incidents?monitor_id={made.pk}&limit=2&offset=1")
    assert [each["id"] for each in body["incidents"]] == [ids[1], ids[0]]
    assert (body["total"], body["limit"], body["offset"]) == (3, 2, 1)
    assert alice.get("/incidents")[1]["total"] == 4
    assert alice.get("/incidents?offset=999999999999999999")[1]["incidents"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=down", [0, 100]),
        ("type=flapping", []),
        ("started_after=2026-11-21T12:00:00Z", [100]),
        ("started_after=2026-11-21T11:59:59.999Z", [0, 100]),
        ("started_before=2026-11-21T12:01:40Z", [0]),
        ("started_before=2026-11-21T13:01:41%2B01:00", [0, 100]),
        ("started_before=2026-11-21t12:01:40z", [0]),
        ("started_after=2026-11-21T12:00:00Z&started_before=2026-11-21T12:01:40Z", []),
    ],
)
def test_filters_are_strict_about_their_bounds(alice: ApiClient, query: str, found: list[int]) -> None:
    made = monitor(alice.account)
    ids = {incident(made, at).pk: at for at in (0, 100)}
    _, body = alice.get(f"/incidents?{query}")
    assert sorted(ids[each["id"]] for each in body["incidents"]) == found


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit must be between 1 and 100"),
        ("limit=101", "limit must be between 1 and 100"),
        ("limit=-1", "limit must be between 1 and 100"),
        ("limit=ten", "limit must be between 1 and 100"),
        ("offset=-1", "offset must be 0 or more"),
        ("offset=1e3", "offset must be 0 or more"),
        ("offset=" + "9" * 30, "offset must be 0 or more"),
        ("type=up", "type must be one of: down, flapping"),
        ("monitor_id=x", "monitor_id must be an integer"),
        ("started_after=yesterday", "started_after must be an RFC 3339 datetime"),
        ("started_after=2026-11-21T12:00:00", "started_after must be an RFC 3339 datetime with a time zone"),
        ("started_before=2026-11-21", "started_before must be an RFC 3339 datetime with a time zone"),
        ("started_before=%00", "started_before must be an RFC 3339 datetime"),
        ("started_before=20261121T120000Z", "started_before must be an RFC 3339 datetime with a time zone"),
        ("started_after=0001-01-01T00:00:00%2B23:59", "started_after must be an RFC 3339 datetime"),
        ("started_before=9999-12-31T23:59:59-23:59", "started_before must be an RFC 3339 datetime"),
    ],
)
def test_a_bad_query_is_refused_with_its_bound(alice: ApiClient, query: str, message: str) -> None:
    assert alice.get(f"/incidents?{query}") == (400, {"error": message})


def test_ids_that_are_no_number_unknown_or_anothers(alice: ApiClient, bob: ApiClient) -> None:
    theirs = incident(monitor(bob.account))
    assert alice.get("/incidents/abc") == (400, {"error": "invalid incident ID"})
    for unknown in (theirs.pk, theirs.pk + 999, 10**30):
        assert alice.get(f"/incidents/{unknown}") == (404, {"error": "incident not found"})
