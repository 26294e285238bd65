"""Query parameters: strict, with messages that name the parameter and its bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

from api.errors import Refusal

Row = TypeVar("Row", bound=Model)
Found = TypeVar("Found")

LARGEST_PAGE = 100
DEFAULT_PAGE = 50
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for."""

    limit: int
    offset: int

    @classmethod
    def of(cls, request: Request, largest: int = LARGEST_PAGE) -> Page:
        """From `limit` (1 to `largest`, default 50) and `offset` (0 or more); refuses others with 400."""
        bounds = f"limit must be between 1 and {largest}"
        limit = integer_parameter(request, "limit", bounds)
        offset = integer_parameter(request, "offset", "offset must be 0 or more")
        if limit is not None and not 1 <= limit <= largest:
            raise Refusal(400, bounds, field="limit")
        return cls(DEFAULT_PAGE if limit is None else limit, offset or 0)

    def body(self, name: str, found: QuerySet[Row], show: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
        """This part of what was found, each row as `show` makes it, beside the total."""
        return self.shown(name, self.part(found), found.count(), show)

    def part(self, found: QuerySet[Row, Found]) -> QuerySet[Row, Found]:
        """This part of what was found."""
        return found[self.offset : self.offset + self.limit]

    def shown(
        self, name: str, rows: Iterable[Row], total: int, show: Callable[[Row], dict[str, Any]]
    ) -> dict[str, Any]:
        """The rows of this part, each as `show` makes it, beside the total."""
        return {
            name: [show(row) for row in rows],
            "total": total,
            "limit": self.limit,
            "offset": self.offset,
        }


def integer_parameter(request: Request, name: str, message: str) -> int | None:
    """The parameter as a whole number of 0 or more; None where absent; refuses others with `message`."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise Refusal(400, message, field=name)
    return int(text)


def choice_parameter(request: Request, name: str, choices: Sequence[str]) -> str | None:
    """The parameter, one of a few words; None where absent; refuses others with 400."""
    text: str = request.query_params.get(name, "")
    if text and text not in choices:
        raise Refusal(400, f"{name} must be one of: {', '.join(choices)}")
    return text or None


def instant_parameter(request: Request, name: str) -> datetime | None:
    """The parameter as an RFC 3339 instant; refuses others with 400."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text.upper())
        if RFC_3339.fullmatch(text):
            return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refusal(400, f"{name} must be an RFC 3339 datetime") from error
    raise Refusal(400, f"{name} must be an RFC 3339 datetime with a time zone")
