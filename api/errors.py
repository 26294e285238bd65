"""Refusals, and how they look on the wire."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

logger = logging.getLogger(__name__)

MESSAGES = {
    exceptions.ParseError: "invalid request body",
    exceptions.MethodNotAllowed: "method not allowed",
}


class Refusal(exceptions.APIException):
    """A request that is refused with a status and a sentence of the contract."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status


def flat_envelope(error: Exception, context: dict[str, Any]) -> Response:
    """The native format's answer to `error`: `{"error": "…"}`, whatever went wrong."""
    if isinstance(error, Http404):
        return Response({"error": "not found"}, status=404)
    if isinstance(error, RequestDataTooBig):
        return Response({"error": "request body too large"}, status=413)
    if isinstance(error, OperationalError):
        logger.error("api.database_away: %s", error)
        return Response({"error": "temporarily unavailable"}, status=503, headers={"Retry-After": "5"})
    if not isinstance(error, exceptions.APIException):
        logger.exception("api.internal_error", exc_info=error)
        return Response({"error": "internal error"}, status=500)
    message = MESSAGES.get(type(error), first_message(error.detail))
    return Response({"error": message}, status=error.status_code, headers=_headers(error))


def first_message(detail: Any) -> str:
    """The first sentence in a refusal's detail: of the first field that is wrong, where it has fields."""
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail))
    return str(detail)


def _headers(error: exceptions.APIException) -> dict[str, str]:
    # RFC 9110, 11.6.1: a 401 names the scheme it wants.
    return {"WWW-Authenticate": "Bearer"} if error.status_code == 401 else {}
