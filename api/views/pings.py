"""/heartbeat/{token}: what a job calls when it has run. The token is all that it needs.

Most pings are answered before Django, by `api.pings.PingsFirst`; here it is said why one is refused.
"""

from __future__ import annotations

import logging

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from api.base import not_found
from api.pings import BODY, LARGEST_STATUS, METHODS, heed, is_signal, secret_in
from monitors.heartbeats import UnknownToken, WrongSecret

logger = logging.getLogger(__name__)


@csrf_exempt
def ping_view(request: HttpRequest, token: str, signal: str = "") -> HttpResponse:
    """A ping: that all is well, or `signal`: start, fail, or the exit status of the job."""
    request.path = request.path.replace(token, "(token)")  # Django logs the path of what it refuses
    if request.method not in METHODS:
        return refusal(405, "method not allowed", {"Allow": ", ".join(METHODS)})
    if signal.isascii() and signal.isdigit() and not is_signal(signal):
        return refusal(400, f"exit status must be at most {LARGEST_STATUS}")
    if not is_signal(signal):
        return not_found(request)
    try:
        heed(token, signal, secret_in(request.META), timezone.now())
    except UnknownToken:
        return refusal(404, "invalid heartbeat token")
    except WrongSecret:
        return refusal(401, "invalid or missing X-Secret header")
    except OperationalError as error:
        logger.error("ping.database_away: %s", error)
        return refusal(503, "temporarily unavailable", {"Retry-After": "5"})
    return HttpResponse(BODY, content_type="application/json")


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> JsonResponse:
    """The API's way to say no."""
    return JsonResponse({"error": message}, status=status, headers=headers)
