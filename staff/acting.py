"""Actions on chosen rows: asked for once more on a page of its own, done a row at a time, and logged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

M = TypeVar("M", bound=Model)
MOST_AT_ONCE = 500
"""More rows than anybody looks through before saying yes, and few enough for one request."""
SHOWN = 50
"""Why so few: the page that asks names the rows."""


class CannotAct(Exception):
    """A row that is left as it is; its text says why."""


Act = Callable[[M, datetime], None]
Action = Callable[[Any, HttpRequest, QuerySet[Any]], TemplateResponse | None]


def action(description: str, consequence: str) -> Callable[[Act[M]], Action]:
    """Make an action of a function that acts on one row; `consequence` is what the page says before."""

    def decorate(act: Act[M]) -> Action:
        @admin.action(description=description, permissions=["act"])
        def run(page: Any, request: HttpRequest, rows: QuerySet[Any]) -> TemplateResponse | None:
            chosen = list(rows[: MOST_AT_ONCE + 1])
            if len(chosen) > MOST_AT_ONCE:
                page.message_user(request, f"At most {MOST_AT_ONCE} at once.", messages.ERROR)
                return None
            if "confirmed" not in request.POST:
                return _ask(page, request, chosen, act.__name__, description, consequence)
            _carry_out(page, request, chosen, act, description)
            return None

        run.__name__ = act.__name__
        return run

    return decorate


def _ask(
    page: Any, request: HttpRequest, chosen: list[Any], name: str, description: str, consequence: str
) -> TemplateResponse:
    context = {
        **page.admin_site.each_context(request),
        "title": f"{description}: are you sure?",
        "opts": page.opts,
        "chosen": chosen,
        "shown": chosen[:SHOWN],
        "more": len(chosen[SHOWN:]),
        "name": name,
        "description": description,
        "consequence": consequence,
        "checkbox": helpers.ACTION_CHECKBOX_NAME,
        "media": page.media,
    }
    return TemplateResponse(request, "staff/confirm.html", context)


def _carry_out(page: Any, request: HttpRequest, chosen: list[Any], act: Act[Any], description: str) -> None:
    now, done = timezone.now(), 0
    for row in chosen:
        try:
            with transaction.atomic():
                act(row, now)
                page.log_change(request, row, f"{description}.")
        except CannotAct as why:
            page.message_user(request, f"{row}: {why}.", messages.WARNING)
        else:
            done += 1
    level = messages.SUCCESS if done else messages.WARNING
    page.message_user(request, f"{description}: done to {done} of {len(chosen)}.", level)
