"""Refusals, and how they look on the wire."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """A request that is refused with a status and a sentence of the contract.

    `field` is what was wrong in it, where it is one thing; `code` is for formats whose codes say more than
    the status does.
    """

    def __init__(self, status: int, message: str, *, field: str = "", code: str = "") -> None:
        super().__init__(message)
        self.status_code = status
        self.field = field
        self.code = code


@dataclass(frozen=True)
class Told:
    """What is told of an error, in whatever shape."""

    status: int
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


def told(error: Exception) -> Told:
    """What is told of `error`, whatever went wrong; what is our fault is logged."""
    if isinstance(error, Http404):
        return Told(404, "not found")
    if isinstance(error, RequestDataTooBig):
        return Told(413, "request body too large")
    if isinstance(error, OperationalError):
        logger.error("api.database_away: %s", error)
        return Told(503, "temporarily unavailable", {"Retry-After": "5"})
    if not isinstance(error, exceptions.APIException):
        logger.exception("api.internal_error", exc_info=error)
        return Told(500, "internal error")
    message = MESSAGES.get(type(error), first_message(error.detail))
    return Told(error.status_code, message, _headers(error))


def flat_envelope(error: Exception, context: dict[str, Any]) -> Response:
    """The native format's answer to `error`: `{"error": "…"}`."""
    about = told(error)
    return Response({"error": about.message}, status=about.status, headers=dict(about.headers))


def first_message(detail: Any) -> str:
    """The first sentence in a refusal's detail: of the first field that is wrong, where it has fields."""
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail))
    return str(detail)


def _headers(error: exceptions.APIException) -> dict[str, str]:
    # RFC 9110, 11.6.1: a 401 names the scheme it wants.
    return {"WWW-Authenticate": "Bearer"} if error.status_code == 401 else {}
