"""How /v1/tcp-monitors refuses: a code, a sentence, and every field that is wrong."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from api.errors import Refusal, first_message, told

CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    503: "UNAVAILABLE",
}
LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
ALL_CODES = [*CODES.values(), LIMIT_EXCEEDED]
BAD_KEY = "Invalid or missing API key"
BAD_BODY = "Invalid request body"
BAD_QUERY = "Invalid query parameters"


def coded_envelope(error: Exception, context: dict[str, Any]) -> Response:
    """The answer to `error`."""
    about = told(error)
    details = details_of(error)
    message = about.message
    if about.status == 401:
        message = BAD_KEY
    elif details:
        message = BAD_QUERY if context["request"].method in SAFE_METHODS else BAD_BODY
    code = getattr(error, "code", "") or CODES[about.status]
    return Response(coded_body(code, message, details), about.status, headers=dict(about.headers))


def coded_body(code: str, message: str, details: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """A refusal, whose message begins with a capital; `details` only where fields are wrong."""
    sentence = message[:1].upper() + message[1:]
    return {"error": {"code": code, "message": sentence} | ({"details": details} if details else {})}


def details_of(error: Exception) -> list[dict[str, str]]:
    """The fields that are wrong, each with its first message."""
    if isinstance(error, Refusal) and error.field:
        return [{"field": error.field, "message": str(error.detail)}]
    if isinstance(error, ValidationError) and isinstance(error.detail, dict):
        return [{"field": name, "message": first_message(each)} for name, each in error.detail.items()]
    return []


@csrf_exempt  # else a POST is told of cookies, in HTML
def not_found(request: HttpRequest, *args: object, **kwargs: object) -> JsonResponse:
    """The answer to any path below /v1 that is not a route."""
    return JsonResponse(coded_body(CODES[404], "Not found"), status=404)
