"""The web process, with two pages more."""

from __future__ import annotations

from typing import Any

from config.wsgi import application  # first, for it sets Django up

# isort: split
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.views import APIView

from api.errors import flat_envelope
from config import urls
from tests.config.failing import fail_over

__all__ = ["application"]


@csrf_exempt
def page(request: HttpRequest, token: str) -> HttpResponse:
    fail_over(request.GET["url"], request.body.decode())


class Api(APIView):
    def get_exception_handler(self) -> Any:
        return flat_envelope

    def post(self, request: HttpRequest, token: str) -> None:
        fail_over(token, str(request.headers))


urls.urlpatterns += [path("page/<str:token>", page), path("rest/<str:token>", Api.as_view())]
