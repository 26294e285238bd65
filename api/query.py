"""Query parameters: strict, with messages that name the parameter and its bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from rest_framework.request import Request

from api.base import LARGEST_ID
from api.errors import Refusal

LARGEST_PAGE = 100
DEFAULT_PAGE = 50


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    offset: int

    @classmethod
    def of(cls, request: Request) -> Page:
        """From `limit` (1 to 100, default 50) and `offset` (0 or more); refuses others with 400."""
        limit = integer_parameter(
            request, "limit", DEFAULT_PAGE, f"limit must be between 1 and {LARGEST_PAGE}"
        )
        offset = integer_parameter(request, "offset", 0, "offset must be 0 or more")
        if not 1 <= limit <= LARGEST_PAGE:
            raise Refusal(400, f"limit must be between 1 and {LARGEST_PAGE}")
        return cls(limit, offset)


def integer_parameter(
    request: Request, name: str, default: int | None = None, message: str = ""
) -> int | None:
    """The parameter as a whole number of 0 or more; `default` where it is absent; refuses others with 400."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise Refusal(400, message or f"{name} must be an integer")
    return min(int(text), LARGEST_ID)


def instant_parameter(request: Request, name: str) -> datetime | None:
    """The parameter as an RFC 3339 instant; refuses others with 400."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal(400, f"{name} must be an RFC 3339 datetime") from error
    if instant.tzinfo is None or "T" not in text.upper():
        raise Refusal(400, f"{name} must be an RFC 3339 datetime with a time zone")
    return instant
