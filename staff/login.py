"""Signing in: a password, a code where a second factor is set up, and so many tries."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm

from accounts.limits import Bucket, take
from staff import second_factor
from staff.models import Authenticator

logger = logging.getLogger(__name__)

OF_ADDRESS = Bucket("staff-address", 10, window_seconds=900)
OF_NAME = Bucket("staff-name", 30, window_seconds=3600)
"""More than of an address, since whoever knows a name can use them up; few enough to guess nothing."""


class LoginForm(AdminAuthenticationForm):
    """Does not say which of name, password and code was wrong."""

    code = forms.CharField(
        required=False,
        max_length=6,
        label="Code",
        help_text="Of your authenticator app, if you have set one up.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "This is not the name, password and code of a member of staff.",
        "limited": "Too many tries: come again in %(seconds)s s.",
        "uncounted": "Tries cannot be counted while the broker is away, so a second factor is needed now.",
    }

    def clean(self) -> dict[str, Any]:
        """The user is known and proven, or a refusal."""
        self._count_try(self.cleaned_data.get("username", ""))
        cleaned: dict[str, Any] = super().clean()
        user: Any = self.get_user()
        if user is not None and second_factor.is_set_up(user):
            user.otp_device = second_factor.take_code(user, cleaned.get("code", ""))
            if user.otp_device is None:
                self._refuse("invalid_login")
        return cleaned

    def _count_try(self, name: str) -> None:
        """One more try of this address and of this name, whatever comes of it."""
        request: Any = self.request
        address = request.META["REMOTE_ADDR"]
        taken = [take(OF_ADDRESS, address), take(OF_NAME, name.casefold())]
        wait = max(each.retry_after_seconds for each in taken)
        if wait:
            logger.warning("staff.login_limited", extra={"address": address})
            self._refuse("limited", seconds=wait)
        # Codes are counted in the database, so a name that needs one is guarded without the broker, too.
        if not all(each.counted for each in taken) and not _needs_code(name):
            self._refuse("uncounted")

    def _refuse(self, code: str, **values: Any) -> None:
        raise forms.ValidationError(self.error_messages[code], code=code, params=values)


def _needs_code(name: str) -> bool:
    return bool(Authenticator.objects.filter(user__username=name, confirmed=True).exists())
