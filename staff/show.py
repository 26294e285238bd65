"""How values look on a page: links to rows, states in colour, ages, and small tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

NOTHING = "-"


def link(row: Model | None, text: object = None) -> SafeString | str:
    """A link to the page of `row`."""
    return NOTHING if row is None else link_to(type(row), row.pk, row if text is None else text)


def link_to(model: type[Model], pk: object, text: object) -> SafeString:
    """A link to the page of the row of `model` with this key, which is not loaded."""
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[pk])
    return format_html('<a href="{}">{}</a>', url, text)


def list_link(model: type[Model], text: object, **filters: object) -> SafeString:
    """A link to the list of `model`, filtered."""
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist", query=filters)
    return format_html('<a href="{}">{}</a>', url, text)


def badge(text: str) -> SafeString | str:
    """A state, an outcome or a verdict, in its colour."""
    return format_html('<span class="badge badge-{}">{}</span>', text.split()[0], text) if text else NOTHING


def instant(at: datetime | None) -> str:
    """To the second, in UTC as everything here."""
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S") if at else NOTHING


def precise(at: datetime | None) -> str:
    """To the millisecond: what happens in a round takes less than a second."""
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if at else NOTHING


def clock(at: datetime | None) -> str:
    """The time alone, beside an instant of the same day."""
    return precise(at)[11:] or NOTHING


def short(text: str, longest: int = 60) -> str:
    """`text` in a list: its beginning, where it is long."""
    return Truncator(text).chars(longest)


def milliseconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f}"


def lasted(span: timedelta) -> str:
    """A span in the two largest of its units, such as `2 h 5 min`."""
    left = max(0, round(span.total_seconds()))
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "none") -> SafeString:
    """A table within a page, or `empty`."""
    return render_to_string("staff/table.html", {"head": head, "rows": list(rows), "empty": empty})
