"""What the admin's templates ask."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from staff import show
from staff.base import MOST_COUNTED

register = template.Library()


@register.filter
def is_bound(count: int) -> bool:
    """Whether counting stopped here."""
    return count >= MOST_COUNTED


register.filter("lasted", show.lasted)
register.filter("badge", show.badge)
register.filter("instant", show.instant)
register.filter("page", show.link)


@register.filter
def ago(at: datetime) -> str:
    """How long it has been since `at`."""
    return show.lasted(timezone.now() - at)
