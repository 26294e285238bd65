"""What all views of the API share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Account, ApiKey
from accounts.scopes import allows
from api.auth import BearerKey
from api.errors import Refusal, flat_envelope
from api.fields import LARGEST_ID
from api.limits import TooMany, count_request


class AnyTypeJSONParser(JSONParser):
    """A body is JSON, whatever its content type says: clients of the contract often send none."""

    media_type = "*/*"

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().parse(*args, **kwargs)
        except RecursionError as error:
            raise ParseError("nested too deeply") from error


class OnlyJson(BaseContentNegotiation):
    """An answer is JSON, whatever the client says that it accepts; `?format=` is a filter like any other."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class JsonView(APIView):
    """JSON in, JSON out, and refusals in their envelope."""

    renderer_classes = (JSONRenderer,)
    parser_classes = (AnyTypeJSONParser,)
    content_negotiation_class = OnlyJson

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # JSON is UTF-8. A content type may name any other charset, also one that is not of text.
        request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return flat_envelope


class View(JsonView):
    """A view of one account's objects."""

    resource: str
    """What a key's scopes must name to be let in: `<resource>:read`, or `:write` for all but GET."""
    authentication_classes = (BearerKey,)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, TooMany):
            response["Retry-After"] = str(exc.retry_after_seconds)
        return response

    def perform_authentication(self, request: Request) -> None:
        """Who asks, and whether not too often: known before anything is done for them."""
        super().perform_authentication(request)
        self.count(request)

    def count(self, request: Request) -> None:
        """Count the request against its limit; refuses with 429 one too many."""
        count_request(request, self.account)

    def check_permissions(self, request: Request) -> None:
        """Refuse a key that was made for something else."""
        key: ApiKey = request.auth  # type: ignore[assignment]
        needed = f"{self.resource}:{'read' if request.method in SAFE_METHODS else 'write'}"
        if not allows(key.scopes, needed):
            raise Refusal(403, f"API key does not have {needed} scope")

    @property
    def account(self) -> Account:
        """Who asks."""
        account: Account = self.request.user  # type: ignore[assignment]
        return account


def body_of(request: Request) -> dict[str, Any]:
    """The request's JSON object; refuses any other JSON value, and a request without a body."""
    data: Any = request.data
    if request.stream is None or not isinstance(data, dict):  # DRF takes no body for an empty object
        raise Refusal(400, "invalid request body")
    return data


def path_id(text: str, message: str) -> int:
    """The id in a path; refuses with 400 and `message` what is not a number."""
    if not (text.isascii() and text.isdigit()):
        raise Refusal(400, message)
    return min(int(text[:20]), LARGEST_ID)


@csrf_exempt  # else a POST is told of cookies, in HTML
def not_found(request: HttpRequest, *args: object, **kwargs: object) -> JsonResponse:
    """The answer to any path below /api that is not a route."""
    return JsonResponse({"error": "not found"}, status=404)
