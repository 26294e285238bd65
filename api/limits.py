"""Limits on the wire: three headers on every answer, and the worded 429."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.limits import Bucket, Taken, take
from accounts.models import Account, ApiKey
from api.dialects.tcp_monitors.errors import CODES, coded_body
from api.dialects.uptime_checks.errors import check_error
from api.errors import Refusal
from api.heartbeat import PATH as PINGS_PATH

CODED_PATH = "/v1/"
"""What is below refuses with codes."""
CHECKS_PATH = "/uptime-checks"
BASE_PATHS = ("/api/v1/", CODED_PATH, f"{CHECKS_PATH}/", "/agent/")
READERS_PATH = "/feed"
"""What is below is read without a key."""
MONITOR_CREATIONS = (("POST", "/api/v1/monitors"), ("POST", CHECKS_PATH))
TOO_MANY_FROM_ADDRESS = "address rate limit exceeded"
TAKEN = "upquorum.taken"
"""Where in a request's META it stands what was taken for it."""


class TooMany(Refusal):
    """A request that comes too early, with the seconds after which it would not."""

    def __init__(self, sentence: str, taken: Taken) -> None:
        super().__init__(429, f"{sentence}; retry in {taken.retry_after_seconds}s")
        self.retry_after_seconds = taken.retry_after_seconds


def take_or_refuse(bucket: Bucket, key: str, sentence: str) -> None:
    """One more of `bucket` for `key`; refuses with 429, `sentence` and when to come again."""
    taken = take(bucket, key)
    if not taken.allowed:
        raise TooMany(sentence, taken)


def count_request(request: Request, account: Account) -> None:
    """Count a request of `account`, before any work is done for it; refuses with 429 one too many."""
    key = str(account.pk)
    taken = take(Bucket("requests", requests_per_minute(account)), key)
    request.META[TAKEN] = taken
    if not taken.allowed:
        raise TooMany("account rate limit exceeded", taken)
    if (request.method, request.path_info) in MONITOR_CREATIONS:
        creations = Bucket("creations", settings.MONITOR_CREATIONS_PER_MINUTE)
        take_or_refuse(creations, key, "monitor creation rate limit exceeded")


def count_request_of_key(request: Request, key: ApiKey) -> None:
    """Count a request of one key, for routes where each key has a limit of its own."""
    taken = take(Bucket("keys", settings.KEY_REQUESTS_PER_MINUTE), str(key.pk))
    request.META[TAKEN] = taken
    if not taken.allowed:
        raise TooMany("API key rate limit exceeded", taken)


def requests_per_minute(account: Account) -> int:
    """How many requests of `account` are taken in a minute; 0: any number."""
    own = account.requests_per_minute
    return settings.API_REQUESTS_PER_MINUTE if own is None else int(own)


class RateLimits:
    """Middleware: the headers on every answer of the API, whoever made it, and a limit for feeds.

    What was counted on no account (no valid key, no such route) is counted on the client's address. That
    is known only afterwards, so a 429 replaces refusals alone: behind a success work was done, and a
    failure of ours is not the client's haste.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(READERS_PATH):
            taken_by_reader = _take_for_address(request, "readers")
            if not taken_by_reader.allowed:
                return _too_many(request, TooMany(TOO_MANY_FROM_ADDRESS, taken_by_reader))
        response = self.get_response(request)
        if not f"{request.path_info}/".startswith(BASE_PATHS) or is_heeded_ping(request, response):
            return response
        taken: Taken | None = request.META.get(TAKEN)
        if taken is None:
            taken = _take_for_address(request, "addresses")
            if not taken.allowed and 400 <= response.status_code < 500:
                response = _too_many(request, TooMany(TOO_MANY_FROM_ADDRESS, taken))
        for name, value in _headers(taken).items():
            response[name] = value
        return response


def is_heeded_ping(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether a job's ping was taken: many jobs share an address, and a round trip would double its cost."""
    return request.path_info.startswith(PINGS_PATH) and response.status_code == 200


def _take_for_address(request: HttpRequest, bucket: str) -> Taken:
    return take(Bucket(bucket, settings.API_REQUESTS_PER_MINUTE), request.META["REMOTE_ADDR"])


def _too_many(request: HttpRequest, refusal: TooMany) -> JsonResponse:
    headers = {"Retry-After": str(refusal.retry_after_seconds)}
    body: dict[str, Any] = {"error": str(refusal.detail)}
    if request.path_info.startswith(CODED_PATH):
        body = coded_body(CODES[429], str(refusal.detail))
    if request.path_info.startswith(CHECKS_PATH):
        body = check_error(429, str(refusal.detail))
    return JsonResponse(body, status=429, headers=headers)


def _headers(taken: Taken) -> dict[str, str]:
    if taken.limit == 0:  # Nothing is limited, so there is nothing to say.
        return {}
    return {
        "X-RateLimit-Limit": str(taken.limit),
        "X-RateLimit-Remaining": str(taken.remaining),
        "X-RateLimit-Reset": str(taken.reset_at),
    }
