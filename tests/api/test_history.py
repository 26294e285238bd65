"""A monitor's history: results in pages, uptime of a window, latency for a chart."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from api.views import history
from monitors.evidence import record_evidence
from monitors.models import Monitor, RegionHour
from monitors.rollups import roll_up_hour
from tests.api.conftest import ApiClient
from tests.api.test_incidents import incident
from tests.make import NOW, monitor, result, seconds

HOUR = timedelta(hours=1)
WINDOW = {
    "window": "24h",
    "from": "2026-11-20T12:00:00.000000Z",
    "to": "2026-11-21T12:00:00.000000Z",
}


@pytest.fixture(autouse=True)
def at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The views ask the clock; here it stands still."""

    class Clock:
        @staticmethod
        def now() -> datetime:
            return NOW

    monkeypatch.setattr(history, "timezone", Clock)


@pytest.fixture
def made(alice: ApiClient) -> Monitor:
    return monitor(alice.account, created_at=NOW - 48 * HOUR)


def see(made: Monitor, *minutes: float, outcome: str = "up", region: str = "eu", **fields: Any) -> None:
    for minute in minutes:
        record_evidence([result(made, outcome, region, at=NOW + seconds(60 * minute), **fields)])


def test_results_come_newest_first_with_what_was_seen(alice: ApiClient, made: Monitor) -> None:
    see(made, -2, address="127.0.0.1", family=4, ttfb_ms=3.4)
    see(made, -1, outcome="missed", region="us", status_code=None, error_class="late")
    see(made, -1, outcome="down", region="us", round_id=7)
    status, body = alice.get(f"/monitors/{made.pk}/results")
    instant = {"scheduled_at": "2026-11-21T11:59:00.000000Z", "timestamp": "2026-11-21T11:59:00.000000Z"}
    early = {"scheduled_at": "2026-11-21T11:58:00.000000Z", "timestamp": "2026-11-21T11:58:00.000000Z"}
    failed = {"status_code": 503, "error_class": "http_5xx", "total_ms": 12}
    assert (status, body["total"], body["limit"], body["offset"]) == (200, 3, 50, 0)
    assert body["results"] == [
        {"outcome": "down", "round_id": 7, "region": "US", **instant, **failed},
        {"outcome": "missed", "region": "US", **instant, "error_class": "late", "total_ms": 12},
        {
            "outcome": "up",
            "region": "EU",
            **early,
            "status_code": 200,
            "address": "127.0.0.1",
            "family": 4,
            "ttfb_ms": 3,
            "total_ms": 12,
        },
    ]


def test_pages_hold_every_result_once(alice: ApiClient, made: Monitor) -> None:
    see(made, *range(-9, 0))
    see(made, *range(-3, 0), outcome="down", region="us", round_id=7)
    pages = [alice.get(f"/monitors/{made.pk}/results?limit=5&offset={offset}")[1] for offset in (0, 5, 10)]
    shown = [(each["scheduled_at"], each["region"]) for page in pages for each in page["results"]]
    assert [len(page["results"]) for page in pages] == [5, 5, 2]
    assert len(set(shown)) == 12
    assert shown == sorted(shown, reverse=True)
    assert {page["total"] for page in pages} == {12}


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("outcome=up", 3),
        ("outcome=down", 1),
        ("outcome=error", 0),
        ("region=US", 1),
        ("region=EU&outcome=down", 0),
        ("since=2026-11-21T11:58:00Z", 3),
        ("outcome=&region=&since=", 4),
    ],
)
def test_results_are_filtered(alice: ApiClient, made: Monitor, query: str, total: int) -> None:
    see(made, -3, -2, -1)
    see(made, -1, outcome="down", region="us")
    assert alice.get(f"/monitors/{made.pk}/results?{query}")[1]["total"] == total


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("results?limit=0", "limit must be between 1 and 100"),
        ("results?limit=101", "limit must be between 1 and 100"),
        ("results?offset=-1", "offset must be 0 or more"),
        ("results?outcome=slow", "outcome must be one of: up, down, missed, error"),
        ("results?region=eu", "region must be one of: EU, US, AP"),
        ("results?since=yesterday", "since must be an RFC 3339 datetime"),
        ("uptime?window=1h", "window must be one of: 24h, 7d, 30d, 90d"),
        ("latency?window=24H", "window must be one of: 24h, 7d, 30d, 90d"),
    ],
)
def test_a_bad_query_is_refused_with_its_bound(
    alice: ApiClient, made: Monitor, path: str, message: str
) -> None:
    assert alice.get(f"/monitors/{made.pk}/{path}") == (400, {"error": message})


@pytest.mark.parametrize("path", ["results", "uptime", "latency"])
def test_ids_that_are_no_number_unknown_or_anothers(alice: ApiClient, bob: ApiClient, path: str) -> None:
    theirs = monitor(bob.account)
    see(theirs, -1)
    assert alice.get(f"/monitors/abc/{path}") == (400, {"error": "invalid monitor ID"})
    for unknown in (theirs.pk, theirs.pk + 999, 10**30):
        assert alice.get(f"/monitors/{unknown}/{path}") == (404, {"error": "monitor not found"})


def test_uptime_says_all_that_it_rests_on(alice: ApiClient, made: Monitor) -> None:
    see(made, -5, -4, -3)
    see(made, -2, outcome="down")
    see(made, -1, outcome="missed")
    incident(made, -3_600, resolved_at=NOW - seconds(3_600 - 86.4))
    expected = WINDOW | {
        "uptime_pct": 99.9,
        "downtime_seconds": 86.4,
        "watched_seconds": 86_400.0,
        "checks": 4,
        "failures": 1,
        "missed": 1,
        "errors": 0,
        "inconclusive": 0,
        "incidents": 1,
    }
    assert alice.get(f"/monitors/{made.pk}/uptime") == (200, expected)
    assert alice.get(f"/monitors/{made.pk}/uptime?window=24h") == (200, expected)
    longer = alice.get(f"/monitors/{made.pk}/uptime?window=90d")[1]
    assert (longer["from"], longer["watched_seconds"]) == ("2026-08-23T12:00:00.000000Z", 172_800.0)


def test_nothing_seen_is_null(alice: ApiClient, made: Monitor) -> None:
    assert alice.get(f"/monitors/{made.pk}/uptime")[1]["uptime_pct"] is None


def test_a_chart_is_finer_the_shorter_its_window(alice: ApiClient, made: Monitor) -> None:
    see(made, -119, total_ms=10.4)
    see(made, -118, total_ms=99.6)
    see(made, -117, region="us", total_ms=20.0)
    roll_up_hour(NOW - 2 * HOUR)
    points = {}
    for window, step in (("24h", 900), ("7d", 3_600), ("30d", 21_600), ("90d", 86_400)):
        body = alice.get(f"/monitors/{made.pk}/latency?window={window}")[1]
        assert (body["window"], body["step_seconds"]) == (window, step)
        points[window] = body["points"]
    assert points["24h"] == [
        {
            "at": "2026-11-21T10:00:00.000000Z",
            "region": "EU",
            "checks": 2,
            "p50_ms": 10,
            "p95_ms": 100,
            "max_ms": 100,
        },
        {
            "at": "2026-11-21T10:00:00.000000Z",
            "region": "US",
            "checks": 1,
            "p50_ms": 20,
            "p95_ms": 20,
            "max_ms": 20,
        },
    ]
    assert points["7d"] == points["24h"]
    assert [each["at"] for each in points["30d"]] == ["2026-11-21T06:00:00.000000Z"] * 2
    assert [each["at"] for each in points["90d"]] == ["2026-11-21T00:00:00.000000Z"] * 2


@pytest.mark.parametrize(
    ("path", "queries"), [("results", 4), ("uptime", 9), ("latency", 3), ("latency?window=90d", 3)]
)
def test_it_takes_as_many_queries_for_much_as_for_little(
    alice: ApiClient,
    made: Monitor,
    path: str,
    queries: int,
    django_assert_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    alice.get(f"/monitors/{made.pk}/{path}")
    for hour in range(1, 24):
        see(made, -60 * hour)
        roll_up_hour(NOW - hour * HOUR)
        incident(made, -3_600 * hour)
    assert RegionHour.objects.count() == 23
    with django_assert_num_queries(queries):
        assert alice.get(f"/monitors/{made.pk}/{path}")[0] == 200


def test_the_clock_is_asked_by_the_view(
    alice: ApiClient, made: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "timezone", timezone)
    before = timezone.now()
    until = datetime.fromisoformat(alice.get(f"/monitors/{made.pk}/uptime")[1]["to"])
    assert before <= until <= timezone.now()
