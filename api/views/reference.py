"""/openapi.json and the page at /docs that shows it. Both are for everyone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from api.key_formats import NATIVE

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Ours alone, and nothing inline but the styles that Swagger UI sets on its elements."""


@require_safe
@cache_control(public=True, max_age=300)
def openapi_view(request: HttpRequest, name: str = NATIVE) -> HttpResponse:
    """GET /openapi.json, and its like for a format that shares paths."""
    from api.schema.document import document  # drf-spectacular is for those who ask

    return JsonResponse(document(name))


@require_safe
def docs_view(request: HttpRequest) -> HttpResponse:
    """GET /docs: the document, for people."""
    response = render(request, "api/docs.html")
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response
