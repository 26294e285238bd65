"""What needs no key: the feed and the page that a token in the URL opens, and the news at /feed.xml."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.feedgenerator import get_tag_uri
from django.utils.html import linebreaks
from django.utils.http import http_date, quote_etag
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from accounts.feeds import find_reader
from accounts.models import Account, FeedToken
from api.models import NewsItem
from incidents.feeds import (
    AUTHOR,
    LONGEST_FEED,
    AtomFeed,
    incident_feed,
    plain,
    recent_incidents,
    spelled,
)
from incidents.models import Incident

Kind = FeedToken.Kind
FIRST_NEWS = datetime(2026, 1, 1, tzinfo=UTC)
"""`updated` of the news while there are none."""
PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"
"""Nothing but our stylesheet; no frame-ancestors, because people put the page into their dashboards."""
SETTLED = timedelta(minutes=1)
"""A commit comes later than its instant, and a date is coarse: no Last-Modified for what may still change."""

AccountView = Callable[[HttpRequest, Account, str], HttpResponseBase]
"""What an account's reader gets; the last argument is the URL that was asked."""


def opened_by(
    kind: FeedToken.Kind,
) -> Callable[[AccountView], Callable[[HttpRequest, str], HttpResponseBase]]:
    """Of a view of an account a view of a token: 404 for one that opens nothing, and no trace of it."""

    def decorate(view: AccountView) -> Callable[[HttpRequest, str], HttpResponseBase]:
        @wraps(view)
        def opened(request: HttpRequest, token: str) -> HttpResponseBase:
            url = request.build_absolute_uri(request.path)
            # Django logs the path of what it refuses, and of what fails.
            request.path = request.path.replace(token, "(token)")
            account = find_reader(token, kind)
            if account is None:
                raise Http404
            response = view(request, account, url)
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Robots-Tag"] = "noindex"
            return response

        return opened

    return decorate


@opened_by(Kind.INCIDENTS)
@require_safe
@cache_control(private=True, no_cache=True)
def incident_feed_view(request: HttpRequest, account: Account, url: str) -> HttpResponseBase:
    """GET /feed/{token}/rss."""
    incidents = recent_incidents(account, timezone.now())
    links = request.build_absolute_uri("/api/v1/incidents")
    return atom(request, incident_feed(account, incidents, url=url, links=links))


@opened_by(Kind.SHARED)
@require_safe
@cache_control(private=True, no_cache=True)
@xframe_options_exempt
def shared_incidents_view(request: HttpRequest, account: Account, url: str) -> HttpResponseBase:
    """GET /feed/shared/{token}: the incidents as a page, without anything that only the owner may know."""
    now = timezone.now()
    rows = [page_row(incident, now) for incident in recent_incidents(account, now).defer("evidence")]
    lasting = sum(row["resolved_at"] is None for row in rows)
    context = {"name": plain(account.name), "rows": rows, "lasting": lasting}
    response = unless_known(request, render(request, "api/shared.html", context))
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response


@require_safe
@cache_control(public=True, max_age=300)
def news_view(request: HttpRequest) -> HttpResponseBase:
    """GET /feed.xml."""
    published = NewsItem.objects.filter(published_at__lte=timezone.now()).order_by("-published_at", "-pk")
    url = request.build_absolute_uri(request.path)
    return atom(request, news_feed(published[:LONGEST_FEED], url))


def news_feed(items: Iterable[NewsItem], url: str) -> AtomFeed:
    """The feed of the operator's announcements that is at `url`."""
    feed = AtomFeed(
        title="News",
        link=url,
        description=None,
        author_name=AUTHOR,
        feed_url=url,
        feed_guid=get_tag_uri(url, FIRST_NEWS),
        born=FIRST_NEWS,
    )
    for item in items:
        feed.add_item(
            title=plain(item.title),
            link=f"{url}#{item.pk}",
            description=linebreaks(plain(item.text), autoescape=True),
            author_name=AUTHOR,
            pubdate=item.published_at,
            updateddate=item.published_at,
            unique_id=get_tag_uri(f"{url}#{item.pk}", FIRST_NEWS),
        )
    return feed


def page_row(incident: Incident, now: datetime) -> dict[str, Any]:
    """An incident as the page shows it: no URL, no address, no id."""
    return {
        "name": plain(incident.monitor.name),
        "type": incident.type,
        "reason": incident.reason,
        "started_at": incident.started_at,
        "resolved_at": incident.resolved_at,
        "duration": spelled((incident.resolved_at or now) - incident.started_at),
    }


def atom(request: HttpRequest, feed: AtomFeed) -> HttpResponseBase:
    """The feed, or 304 where the reader has it."""
    response = HttpResponse(feed.writeString("utf-8"), content_type=feed.content_type)
    changed_at = feed.latest_post_date()
    return unless_known(request, response, changed_at if timezone.now() - changed_at > SETTLED else None)


def unless_known(
    request: HttpRequest, response: HttpResponse, changed_at: datetime | None = None
) -> HttpResponseBase:
    """The response with its validators, or 304 where the request names them."""
    etag = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
    changed = int(changed_at.timestamp()) if changed_at else None
    response.headers["ETag"] = etag
    if changed is not None:
        response.headers["Last-Modified"] = http_date(changed)
    return get_conditional_response(request, etag, changed, response) or response
