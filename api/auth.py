"""Who asks: `Authorization: Bearer …`."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.keys import find_key, mark_used
from accounts.models import Account, ApiKey
from api.errors import Refusal


class BearerKey(BaseAuthentication):
    """Makes `request.user` the account, and `request.auth` the key; refuses all else."""

    def authenticate(self, request: Request) -> tuple[Account, ApiKey]:
        header = request.headers.get("Authorization")
        if not header:
            raise Refusal(401, "missing authorization")
        scheme, _, secret = header.partition(" ")
        now = timezone.now()
        key = find_key(secret.strip(), now) if scheme.lower() == "bearer" else None
        if key is None:
            raise Refusal(401, "invalid credentials")
        mark_used(key, now)
        if key.account.suspended_at is not None:
            raise Refusal(403, "account suspended; contact support")
        return key.account, key
