"""Feeds: the Atom of an account's incidents, its shared page, and the news; and the tokens that open them."""

from __future__ import annotations

import logging
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, cast

import feedparser  # type: ignore[import-untyped]
import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.feeds import find_reader
from accounts.models import Account, FeedToken
from api.models import NewsItem
from incidents.feeds import spelled
from tests.api.conftest import ApiClient
from tests.api.test_incidents import incident
from tests.make import NOW, monitor

ATOM = "{http://www.w3.org/2005/Atom}"
DAY = timedelta(days=1)
HOSTILE = '<script>alert(1)</script> & "quotes" \u202eevil\u202c ]]> \x0b\x85\ufffe \U0001f4a5 שלום'


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """It is two hours after NOW, or what the test sets."""

    def set_to(instant: datetime) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: instant)

    set_to(NOW + timedelta(hours=2))
    return set_to


def path(url: str) -> str:
    """The path of one of the account's URLs, which are at the host that was asked."""
    assert url.startswith("http://testserver/feed/")
    return url.removeprefix("http://testserver")


def feed_path(of: ApiClient) -> str:
    return path(of.get("/feeds")[1]["incident_feed_url"])


def shared_path(of: ApiClient) -> str:
    return path(of.put("/feeds/shared", None)[1]["shared_url"])


def fetch(path: str, **headers: str) -> HttpResponse:
    return cast(HttpResponse, Client().get(path, headers=headers))


def parsed(path: str) -> Any:
    """What a feed reader makes of it, once it is known to be what RFC 4287 asks for."""
    response = fetch(path)
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    check_atom(ElementTree.fromstring(response.content))
    feed = feedparser.parse(response.content)
    assert (feed.bozo, feed.version) == (False, "atom10")
    return feed


def check_atom(root: ElementTree.Element) -> None:
    assert root.tag == f"{ATOM}feed"
    assert {link.get("rel") for link in root.findall(f"{ATOM}link")} == {"alternate", "self"}
    entries = root.findall(f"{ATOM}entry")
    for each in (root, *entries):
        for required in ("id", "title", "updated", "author"):
            assert len(each.findall(f"{ATOM}{required}")) == 1
        assert (each.findtext(f"{ATOM}author/{ATOM}name") or "").strip()
        assert re.fullmatch(r"tag:testserver,\d{4}-\d\d-\d\d:/\S+", each.findtext(f"{ATOM}id") or "")
        assert datetime.fromisoformat(each.findtext(f"{ATOM}updated") or "").utcoffset() is not None
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries)


def test_every_account_has_a_feed_and_a_shared_page_when_it_wants_one(alice: ApiClient) -> None:
    status, urls = alice.get("/feeds")
    assert (status, urls["shared_url"]) == (200, None)
    assert re.fullmatch(r"http://testserver/feed/[A-Za-z0-9]{32}/rss", urls["incident_feed_url"])
    status, both = alice.put("/feeds/shared", None)
    assert (status, both["incident_feed_url"]) == (200, urls["incident_feed_url"])
    assert re.fullmatch(r"http://testserver/feed/shared/[A-Za-z0-9]{32}", both["shared_url"])
    assert alice.get("/feeds") == alice.put("/feeds/shared", None) == (200, both)


def test_the_urls_are_at_the_host_and_scheme_that_were_asked(alice: ApiClient) -> None:
    body = alice.http.get("/api/v1/feeds", secure=True, headers={"Host": "localhost:8443"}).json()
    assert body["incident_feed_url"].startswith("https://localhost:8443/feed/")


def test_a_token_is_not_in_the_database_in_plain_text(alice: ApiClient) -> None:
    token = feed_path(alice).split("/")[2]
    (row,) = FeedToken.objects.values()
    assert token not in str(row)
    assert find_reader(token, FeedToken.Kind.INCIDENTS) == alice.account


def test_an_entry_tells_of_an_incident_while_it_lasts(alice: ApiClient) -> None:
    one = incident(monitor(alice.account), resolved_at=None, resolution="")
    feed = parsed(feed_path(alice))
    assert (feed.feed.title, feed.feed.author) == ("Incidents of alice", "Upquorum")
    (entry,) = feed.entries
    assert entry.title == "site is down: http_5xx"
    assert entry.id == f"tag:testserver,2026-11-21:/api/v1/incidents/{one.pk}/"
    assert entry.link == f"http://testserver/api/v1/incidents/{one.pk}"
    assert (entry.author, entry.tags[0].term) == ("Upquorum", "down")
    assert entry.published == entry.updated == feed.feed.updated == "2026-11-21T12:00:00+00:00"
    said = "down (http_5xx) since 2026-11-21 12:00:00 UTC and lasts. Confirmed 2-of-3 by EU, US."
    assert entry.summary == said


def test_the_same_entry_tells_of_its_end(alice: ApiClient) -> None:
    one = incident(monitor(alice.account), resolved_at=None, resolution="")
    before = parsed(feed_path(alice)).entries[0]
    one.resolved_at, one.resolution = NOW + timedelta(minutes=5), "recovered"
    one.save()
    (after,) = parsed(feed_path(alice)).entries
    assert (after.id, after.published) == (before.id, before.published)
    assert (after.title, after.updated) == ("site recovered", "2026-11-21T12:05:00+00:00")
    assert "until 2026-11-21 12:05:00 UTC (5 min)" in after.summary


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        (
            {"type": "flapping", "reason": "11 transitions", "resolved_at": None},
            "site is flapping: 11 transitions",
        ),
        ({"type": "flapping", "resolution": "stable"}, "site is stable again"),
        ({"resolution": "paused"}, "site was paused"),
        ({"resolution": "", "evidence": []}, "site recovered"),
    ],
)
def test_titles_say_what_happened(alice: ApiClient, fields: dict[str, Any], title: str) -> None:
    incident(monitor(alice.account), **fields)
    assert parsed(feed_path(alice)).entries[0].title == title


def test_an_empty_feed_is_valid_and_does_not_change(
    alice: ApiClient, clock: Callable[[datetime], None]
) -> None:
    assert parsed(feed_path(alice)).entries == []
    first = fetch(feed_path(alice)).headers["ETag"]
    clock(NOW + 7 * DAY)
    assert fetch(feed_path(alice)).headers["ETag"] == first


def test_whatever_lasts_then_the_newest_of_thirty_days_up_to_fifty(alice: ApiClient) -> None:
    made, other = monitor(alice.account), monitor(alice.account, url="http://127.0.0.1:9/2")
    day = DAY.total_seconds()
    incident(made, -31 * day)
    lasting = incident(other, -40 * day, resolved_at=None)
    newer = [incident(made, -29 * day + number).pk for number in range(3)]
    ids = [int(entry.link.rsplit("/", 1)[1]) for entry in parsed(feed_path(alice)).entries]
    assert ids == [lasting.pk, *reversed(newer)]
    for number in range(60):
        incident(made, number)
    full = parsed(feed_path(alice)).entries
    assert (len(full), full[0].title) == (50, "site is down: http_5xx")


def test_an_account_reads_nothing_of_another(alice: ApiClient, bob: ApiClient) -> None:
    incident(monitor(alice.account, name="alice-site"))
    incident(monitor(bob.account, name="bob-site"))
    assert [entry.title for entry in parsed(feed_path(alice)).entries] == ["alice-site recovered"]
    for url in (feed_path(alice), shared_path(alice)):
        assert b"bob" not in fetch(url).content
    alice.post("/feeds/rotate", None)
    assert alice.delete("/feeds/shared") == (204, None)
    assert bob.delete("/feeds/shared") == (404, {"error": "shared feed not found"})
    assert parsed(feed_path(bob)).entries


def test_a_rotated_token_opens_nothing_and_the_entries_keep_their_ids(alice: ApiClient) -> None:
    incident(monitor(alice.account))
    old, shared = feed_path(alice), shared_path(alice)
    before = parsed(old)
    status, urls = alice.post("/feeds/rotate", None)
    assert (status, urls) == alice.get("/feeds")
    assert path(urls["shared_url"]) == shared
    assert fetch(old).status_code == 404
    after = parsed(path(urls["incident_feed_url"]))
    assert after.feed.id == before.feed.id
    assert [entry.id for entry in after.entries] == [entry.id for entry in before.entries]


def test_the_shared_page_ends_and_begins_again_elsewhere(alice: ApiClient) -> None:
    old = shared_path(alice)
    assert alice.delete("/feeds/shared") == (204, None)
    assert alice.delete("/feeds/shared") == (404, {"error": "shared feed not found"})
    assert fetch(old).status_code == 404
    assert alice.get("/feeds")[1]["shared_url"] is None
    assert shared_path(alice) != old


def test_a_token_opens_what_it_is_for_and_no_more(alice: ApiClient) -> None:
    feed, shared = feed_path(alice).split("/")[2], shared_path(alice).split("/")[3]
    for wrong in (
        f"/feed/{shared}/rss",
        f"/feed/shared/{feed}",
        f"/feed/{feed.swapcase()}/rss",
        "/feed/%00/rss",
    ):
        assert fetch(wrong).status_code == 404
    with_bearer = Client(headers={"Authorization": f"Bearer {feed}"})
    assert with_bearer.get("/api/v1/incidents").status_code == 401


def test_a_suspended_accounts_urls_open_nothing_until_it_is_back(alice: ApiClient) -> None:
    urls = (feed_path(alice), shared_path(alice))
    Account.objects.update(suspended_at=NOW)
    assert [fetch(url).status_code for url in urls] == [404, 404]
    Account.objects.update(suspended_at=None)
    assert [fetch(url).status_code for url in urls] == [200, 200]


def test_a_refused_token_is_not_logged(alice: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    url = feed_path(alice)
    with caplog.at_level(logging.WARNING, "django.request"):  # production is quieter
        assert Client().post(url).status_code == 405
        alice.post("/feeds/rotate", None)
        assert fetch(url).status_code == 404
    assert "/feed/(token)/rss" in caplog.text
    assert url.split("/")[2] not in caplog.text


@pytest.mark.parametrize("which", [feed_path, shared_path])
def test_it_is_sent_again_only_when_it_changed(alice: ApiClient, which: Callable[[ApiClient], str]) -> None:
    made = monitor(alice.account)
    incident(made)
    url = which(alice)
    first = fetch(url)
    again = fetch(url, if_none_match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"] == "private, no-cache"
    incident(made, 100)
    assert fetch(url, if_none_match=first.headers["ETag"]).status_code == 200
    head = Client().head(url)
    assert (head.status_code, head.content) == (200, b"")


def test_a_reader_that_knows_only_dates_misses_nothing(
    alice: ApiClient, clock: Callable[[datetime], None]
) -> None:
    made = monitor(alice.account)
    incident(made)
    url = feed_path(alice)
    first = fetch(url).headers["Last-Modified"]
    assert first == "Sat, 21 Nov 2026 12:01:00 GMT"
    assert fetch(url, if_modified_since=first).status_code == 304
    incident(made, 600, resolved_at=None)
    assert fetch(url, if_modified_since=first).status_code == 200
    clock(NOW + timedelta(seconds=630))
    assert "Last-Modified" not in fetch(url).headers


def test_hostile_names_are_text_and_nothing_else(alice: ApiClient) -> None:
    Account.objects.update(name=HOSTILE)
    incident(monitor(alice.account, name=HOSTILE))
    feed = parsed(feed_path(alice))
    shown = '<script>alert(1)</script> & "quotes" \ufffdevil\ufffd ]]> \ufffd\ufffd\ufffd \U0001f4a5 שלום'
    root = ElementTree.fromstring(fetch(feed_path(alice)).content)
    assert root.findtext(f"{ATOM}title") == f"Incidents of {shown}"
    assert root.findtext(f"{ATOM}entry/{ATOM}title") == f"{shown} recovered"
    assert "<script" not in feed.entries[0].summary
    page = fetch(shared_path(alice)).content.decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot; \ufffdevil\ufffd" in page


def test_the_shared_page_lists_the_incidents_and_no_secrets(alice: ApiClient) -> None:
    made = monitor(alice.account, url="http://127.0.0.1:9/?token=s3cret", name="shop")
    incident(made)
    incident(made, 3600, resolved_at=None)
    response = fetch(shared_path(alice))
    page = response.content.decode()
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.count("<bdi>shop</bdi>") == 2
    for text in ("Incidents of <bdi>alice</bdi>", "1 open", "2026-11-21 12:01:00", "1 min", "http_5xx"):
        assert text in page
    assert "still open" in page
    assert "1 h" in page
    for secret in ("s3cret", "127.0.0.1", feed_path(alice), alice.key):
        assert secret not in page


def test_the_shared_page_runs_nothing_tells_nobody_and_may_be_framed(alice: ApiClient) -> None:
    response = fetch(shared_path(alice))
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert "X-Frame-Options" not in response.headers
    assert not response.cookies
    page = response.content.decode()
    assert not re.search(r"<script|<style| style=| on\w+=|https?://", page)
    assert "No incidents in the last 30 days." in page
    (stylesheet,) = re.findall(r'href="([^"]+)"', page)
    with closing(fetch(stylesheet)) as styles:
        assert styles.status_code == 200


@pytest.mark.parametrize("which", [feed_path, shared_path])
def test_it_takes_two_queries_however_many_incidents(
    alice: ApiClient, which: Callable[[ApiClient], str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    url = which(alice)
    for number in range(20):
        incident(monitor(alice.account, url=f"http://127.0.0.1:9/{number}"), number)
    with django_assert_num_queries(2):
        assert fetch(url).status_code == 200


def test_a_key_needs_the_accounts_scopes(alice: ApiClient) -> None:
    _, made = alice.post("/keys", {"label": "narrow", "scopes": ["account:read"]})
    client = Client(headers={"Authorization": f"Bearer {made['key']}"})
    assert client.get("/api/v1/feeds").status_code == 200
    for method, route in (("POST", "rotate"), ("PUT", "shared"), ("DELETE", "shared")):
        assert client.generic(method, f"/api/v1/feeds/{route}").status_code == 403


@pytest.mark.django_db
def test_news_is_open_to_all_once_it_is_published() -> None:
    for days, title in ((-1, "New region"), (1, "Not yet"), (-3, "Ångström & <b>bold</b>")):
        text = "A <i>first</i> paragraph.\n\nA second\x0b."
        NewsItem.objects.create(title=title, text=text, published_at=NOW + days * DAY)
    feed = parsed("/feed.xml")
    assert feed.feed.title == "News"
    assert feed.entries[0].title == "New region"
    assert len(feed.entries) == 2
    assert feed.entries[0].published == feed.feed.updated == "2026-11-20T12:00:00+00:00"
    assert feed.entries[0].summary == "<p>A &lt;i&gt;first&lt;/i&gt; paragraph.</p>\n\n<p>A second\ufffd.</p>"
    first = fetch("/feed.xml")
    assert fetch("/feed.xml", if_none_match=first.headers["ETag"]).status_code == 304
    assert first.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.django_db
def test_without_news_the_feed_is_valid_and_empty() -> None:
    assert parsed("/feed.xml").entries == []


def test_staff_write_news_and_look_at_tokens_in_the_admin(alice: ApiClient, admin_client: Client) -> None:
    feed_path(alice)
    form = {
        "title": "Maintenance",
        "text": "Tonight.",
        "published_at_0": "2026-11-21",
        "published_at_1": "12:00",
    }
    assert b"2026-11-21" in admin_client.get("/admin/api/newsitem/add/").content
    assert admin_client.post("/admin/api/newsitem/add/", form).status_code == 302
    assert parsed("/feed.xml").entries[0].title == "Maintenance"
    row = FeedToken.objects.get()
    page = admin_client.get(f"/admin/accounts/feedtoken/{row.pk}/change/").content.decode()
    assert row.digest not in page
    assert row.sealed not in page


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3905, "1 h 5 min"), (86_400, "1 d"), (180_061, "2 d 2 h")],
)
def test_durations_are_spelled_in_their_two_largest_units(seconds: float, text: str) -> None:
    assert spelled(timedelta(seconds=seconds)) == text
