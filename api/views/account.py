"""/account: what the account uses, against its caps."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import View
from api.dialects.native.account import account_body


class AccountStatus(View):
    resource = "account"

    def get(self, request: Request) -> Response:
        """The account and its usage."""
        keys = self.account.api_keys.valid(timezone.now()).lasting().count()
        usage = {
            "monitors": {"used": self.account.monitors.count(), "limit": self.account.monitor_limit},
            "api_keys": {"used": keys, "limit": self.account.key_limit},
        }
        return Response(account_body(self.account) | {"usage": usage})
