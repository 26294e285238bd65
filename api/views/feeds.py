"""/feeds: the account's two URLs that need no key."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.feeds import ensure_token, remove_token, rotate_token, token_of
from accounts.models import Account, FeedToken
from api.base import View
from api.errors import Refusal

Kind = FeedToken.Kind


class Feeds(View):
    resource = "account"

    def get(self, request: Request) -> Response:
        """The account's two URLs; `shared_url` is null while there is none."""
        ensure_token(self.account, Kind.INCIDENTS, timezone.now())
        return Response(urls_body(self.account, request))


class FeedRotation(View):
    resource = "account"

    def post(self, request: Request) -> Response:
        """Move the incident feed to another URL; the old one is 404 at once."""
        rotate_token(self.account, Kind.INCIDENTS, timezone.now())
        return Response(urls_body(self.account, request))


class SharedFeed(View):
    resource = "account"

    def put(self, request: Request) -> Response:
        """Have a shared page; one that is there keeps its URL."""
        for kind in Kind:
            ensure_token(self.account, kind, timezone.now())
        return Response(urls_body(self.account, request))

    def delete(self, request: Request) -> Response:
        """End the shared page; the next PUT makes one at another URL."""
        if not remove_token(self.account, Kind.SHARED):
            raise Refusal(404, "shared feed not found")
        return Response(status=204)


def urls_body(account: Account, request: Request) -> dict[str, str | None]:
    """The account's URLs, at the host that was asked."""

    def url(route: str, kind: FeedToken.Kind) -> str | None:
        token = token_of(account, kind)
        return token and request.build_absolute_uri(reverse(route, args=[token]))

    return {
        "incident_feed_url": url("incident-feed", Kind.INCIDENTS),
        "shared_url": url("shared-incidents", Kind.SHARED),
    }
