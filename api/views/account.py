"""/account: what the account uses, against its caps."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.keys import KEYS_PER_ACCOUNT
from api.base import View
from api.dialects import native
from incidents.lifecycle import MONITORS_PER_ACCOUNT


class AccountStatus(View):
    resource = "account"

    def get(self, request: Request) -> Response:
        """The account and its usage."""
        keys = self.account.api_keys.valid(timezone.now()).lasting().count()
        usage = {
            "monitors": {"used": self.account.monitors.count(), "limit": MONITORS_PER_ACCOUNT},
            "api_keys": {"used": keys, "limit": KEYS_PER_ACCOUNT},
        }
        return Response(native.account_body(self.account) | {"usage": usage})
