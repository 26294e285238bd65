"""`/healthz`: the process lives. `/readyz`: it can do its work. And what a page says while it cannot."""

from __future__ import annotations

import logging
from collections.abc import Callable

from celery import current_app
from django.db import Error, connection
from django.db import OperationalError as DatabaseAway
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from kombu.exceptions import OperationalError

from monitors import pulse

logger = logging.getLogger(__name__)

BROKER_TIMEOUT_SECONDS = 2


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer and a tick is younger than 10 s; else 503 and what fails."""
    checks = {"database": database_answers(), "broker": broker_answers()}
    checks["tick"] = checks["database"] and pulse.is_fresh("tick", timezone.now())
    ready = all(checks.values())
    response = JsonResponse(
        {"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503
    )
    response._has_been_logged = True  # type: ignore[attr-defined]  # to be asked before it is ready is no error
    return response


def database_answers() -> bool:
    """Whether the database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def broker_answers() -> bool:
    """Whether the broker takes a connection."""
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_TIMEOUT_SECONDS)
    except OperationalError:
        return False
    return True


class UnavailableWithoutDatabase:
    """Middleware: while the database is away a page is 503 and not 500. The API says so by itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer instead of an exception of a view; None: as ever."""
        if not isinstance(exception, DatabaseAway):
            return None
        logger.error("page.database_away: %s", exception)
        return HttpResponse(
            "Temporarily unavailable.\n", "text/plain", status=503, headers={"Retry-After": "5"}
        )
