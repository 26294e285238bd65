"""A span for each request that Django answers. Pings pass it by, as they pass Django by.

OpenTelemetry's own instrumentation tells of each request's path and client; ours have tokens in their paths.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from probes.telemetry import tracing


class RequestSpans:
    """Middleware, the outermost. Where there are no traces Django leaves it out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not tracing.is_on():
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with tracing.span(str(request.method), "SERVER", request.headers) as span:
            response = self.get_response(request)
            said: dict[str, Any] = {
                "http.request.method": request.method,
                "http.response.status_code": response.status_code,
            }
            if request.resolver_match:
                said["http.route"] = request.resolver_match.route
                span.update_name(f"{request.method} {request.resolver_match.route}")
            span.set_attributes(said)
            if response.status_code >= 500:
                tracing.fail(span, str(response.status_code))
        return response
