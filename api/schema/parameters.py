"""Parameters and response headers, with the bounds that `api.query` and `api.fields` hold."""

from __future__ import annotations

from collections.abc import Sequence

from drf_spectacular.utils import OpenApiParameter

from api.dialects.tcp_monitors.results import LARGEST_PAGE as LARGEST_RESULT_PAGE
from api.fields import LARGEST_ID
from api.query import DEFAULT_PAGE, LARGEST_PAGE

LARGEST_NUMBER = 10**18 - 1

ID = OpenApiParameter(
    "id", {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}, OpenApiParameter.PATH, required=True
)
TCP_ID = OpenApiParameter(
    "id", {"type": "string", "pattern": "^tcpm_[a-zA-Z0-9]+$"}, OpenApiParameter.PATH, required=True
)


def limit(largest: int) -> OpenApiParameter:
    """How many rows of a list, at most."""
    bounds = {"type": "integer", "minimum": 1, "maximum": largest, "default": DEFAULT_PAGE}
    return OpenApiParameter("limit", bounds)


OFFSET = OpenApiParameter(
    "offset", {"type": "integer", "minimum": 0, "maximum": LARGEST_NUMBER, "default": 0}
)
PAGE = (limit(LARGEST_PAGE), OFFSET)
LARGE_PAGE = (limit(LARGEST_RESULT_PAGE), OFFSET)
MONITOR_ID = OpenApiParameter("monitor_id", {"type": "integer", "minimum": 0, "maximum": LARGEST_NUMBER})


def instant(name: str, description: str) -> OpenApiParameter:
    """An RFC 3339 instant."""
    return OpenApiParameter(name, {"type": "string", "format": "date-time"}, description=description)


def choice(name: str, values: Sequence[str], default: str | None = None) -> OpenApiParameter:
    """One of a few words."""
    without = {"default": default} if default else {}
    return OpenApiParameter(name, {"type": "string", "enum": list(values), **without})


def header(name: str, description: str, least: int, on: bool | list[int | str]) -> OpenApiParameter:
    """A whole number in the headers of the answers with a status of `on`."""
    schema = {"type": "integer", "minimum": least}
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, response=on, description=description)


HEADERS = (
    header(
        "X-RateLimit-Limit", "How many requests in any 60 seconds; absent where none are limited.", 1, True
    ),
    header("X-RateLimit-Remaining", "How many are left at this moment.", 0, True),
    header("X-RateLimit-Reset", "Unix seconds: when there is one more.", 0, True),
    header("Retry-After", "Seconds after which to come again.", 1, [429, 503]),
)
