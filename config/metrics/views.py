"""`/metrics`: with the operator's token the installation, with an API key the monitors of its account."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from accounts.keys import find_key
from accounts.limits import Bucket, take
from accounts.models import ApiKey
from accounts.scopes import allows
from config.metrics import installation, monitors

SCOPE = "monitors:read"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Whoever has neither is told nothing. Without a token of the operator's, only keys are answered."""
    now = timezone.now()
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and _is_operator(secret):
        return _page(installation.collect(now))
    key = find_key(secret, now) if scheme.lower() == "bearer" else None
    who = str(key.account_id) if key else request.META["REMOTE_ADDR"]
    bucket = Bucket("requests" if key else "addresses", settings.API_REQUESTS_PER_MINUTE)
    taken = take(bucket, who)
    if not taken.allowed:
        return HttpResponse(status=429, headers={"Retry-After": str(taken.retry_after_seconds)})
    return _of_account(key, now) if key else _refusal()


def _of_account(key: ApiKey, now: datetime) -> HttpResponse:
    if key.account.suspended_at or not allows(key.scopes, SCOPE):
        return HttpResponse(f"a key of an active account with the scope {SCOPE} is needed\n", status=403)
    return _page(monitors.collect(key.account, now))


def _refusal() -> HttpResponse:
    return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})


def _is_operator(token: str) -> bool:
    expected: str = settings.METRICS_TOKEN
    return expected != "" and hmac.compare_digest(token.encode(), expected.encode())


def _page(found: Iterable[Metric]) -> HttpResponse:
    return HttpResponse(generate_latest(_Found(found)), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Found(Collector):
    """What was found, in the form that the exposition takes."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        yield from self._found
