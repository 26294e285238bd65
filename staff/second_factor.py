"""Who needs a second factor, whether they gave it, and how it is set up and removed."""

from __future__ import annotations

from typing import Any

import segno
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.utils.safestring import SafeString, mark_safe

from staff.models import Authenticator


def is_set_up(user: Any) -> bool:
    """Whether the user has an authenticator that was confirmed."""
    return bool(Authenticator.objects.filter(user=user.pk, confirmed=True).exists())


def suffices(user: Any) -> bool:
    """Whether the user of this session gave all the factors that are asked of them."""
    if user.is_verified():
        return True
    return not settings.ADMIN_TOTP_REQUIRED and not is_set_up(user)


@transaction.atomic
def take_code(user: Any, code: str, *, confirmed: bool = True) -> Authenticator | None:
    """The user's authenticator if `code` is its code of now; a code is good once, also for two at once."""
    found = Authenticator.objects.select_for_update().filter(user=user.pk, confirmed=confirmed).first()
    return found if found is not None and found.verify_token(code.strip()) else None


@transaction.atomic
def confirm(user: Any, code: str) -> Authenticator | None:
    """Have the second factor asked for from now on, if `code` proves that the app has the key."""
    authenticator = take_code(user, code, confirmed=False)
    if authenticator is not None:
        authenticator.confirmed = True
        authenticator.save(update_fields=["confirmed"])
        _log(user, "Second factor set up.")
    return authenticator


@transaction.atomic
def remove(user: Any, code: str) -> bool:
    """Remove the second factor; it takes a code of it."""
    authenticator = take_code(user, code)
    if authenticator is None:
        return False
    authenticator.delete()
    _log(user, "Second factor removed.")
    return True


def qr_code(text: str) -> SafeString:
    """`text` as an SVG element: an image from another server would tell it the key."""
    return mark_safe(segno.make_qr(text).svg_inline(scale=5, border=2, light="#fff"))  # noqa: S308


def _log(user: Any, message: str) -> None:
    LogEntry.objects.log_actions(user.pk, [user], CHANGE, change_message=message, single_object=True)
