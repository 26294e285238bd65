"""How /uptime-checks refuses: a code, and every field that is wrong."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.models import Account
from api.errors import Refusal, first_message, told

VALIDATION_FAILED = "validation_failed"
CODES = {
    401: "unauthorized",
    402: "plan_limit_reached",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}
ALL_CODES = [VALIDATION_FAILED, *CODES.values()]
WHOLE_BODY = "body"
"""Where no field is at fault."""
NAMES = {"url": "target", "servers": "probe_server_ids"}
"""By our name of a field, its name here."""
PLAN = "self-hosted"
"""There is one plan, whose limit is the account's."""


class PlanLimitReached(Refusal):
    """The account has as many monitors as it may, whichever format they were made in."""

    def __init__(self, account: Account) -> None:
        super().__init__(402, "the account has as many monitors as it may")
        self.account = account


def plan_body(account: Account) -> dict[str, Any]:
    """How many monitors the account has, and may have."""
    return {"plan_limit": account.monitor_limit, "current_count": account.monitors.count(), "plan": PLAN}


def check_envelope(error: Exception, context: dict[str, Any]) -> Response:
    """The answer to `error`."""
    about = told(error)
    if about.status == 400:
        body = {"error": VALIDATION_FAILED, "issues": issues_of(error, about.message)}
    else:
        body = check_error(about.status, about.message)
    if isinstance(error, PlanLimitReached):
        body |= plan_body(error.account)
    return Response(body, about.status, headers=dict(about.headers))


def check_error(status: int, message: str) -> dict[str, Any]:
    """A refusal that no field is to blame for."""
    return {"error": CODES[status], "message": message}


def issues_of(error: Exception, message: str) -> list[dict[str, str]]:
    """The fields that are wrong, each with its first reason."""
    if isinstance(error, ValidationError) and isinstance(error.detail, dict):
        return [_issue(name, first_message(each)) for name, each in error.detail.items()]
    field = error.field if isinstance(error, Refusal) else ""
    return [_issue(field or WHOLE_BODY, message)]


def _issue(field: str, reason: str) -> dict[str, str]:
    name = NAMES.get(field, field)
    return {"field": name, "reason": reason.replace(field, name, 1)}


@csrf_exempt  # else a POST is told of cookies, in HTML
def not_found(request: HttpRequest, *args: object, **kwargs: object) -> JsonResponse:
    """The answer to any path below /uptime-checks that is not a route."""
    return JsonResponse(check_error(404, "not found"), status=404)
