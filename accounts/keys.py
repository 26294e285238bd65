"""API keys: how they are made, stored, found and checked."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import Account, ApiKey

SCHEME = "umk_live_"
SECRET_LENGTH = 40
SHOWN_LENGTH = len(SCHEME) + 8
LAST_USED_RESOLUTION = timedelta(minutes=1)
ALPHABET = string.ascii_letters + string.digits
SHAPE = re.compile(SCHEME + f"[A-Za-z0-9]{{{SECRET_LENGTH}}}")


def issue_key(account: Account, label: str, now: datetime) -> tuple[ApiKey, str]:
    """A new key of `account` and its plain text, which is stored nowhere and so can be shown only now."""
    plaintext = SCHEME + "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    key = ApiKey.objects.create(
        account=account,
        label=label,
        prefix=plaintext[:SHOWN_LENGTH],
        digest=_digest(plaintext),
        created_at=now,
    )
    return key, plaintext


def find_key(plaintext: str, now: datetime) -> ApiKey | None:
    """The valid key with this plain text, with its account; the secret is compared in constant time."""
    if not SHAPE.fullmatch(plaintext):
        return None
    digest = _digest(plaintext)
    candidates = ApiKey.objects.valid(now).filter(prefix=plaintext[:SHOWN_LENGTH])
    for key in candidates.select_related("account"):
        if hmac.compare_digest(key.digest, digest):
            return key
    return None


def mark_used(key: ApiKey, now: datetime) -> None:
    """Note the use of a key, to the minute: one write a minute however many requests come."""
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_RESOLUTION)
    if key.last_used_at is None or key.last_used_at < now - LAST_USED_RESOLUTION:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def _digest(plaintext: str) -> str:
    # A key is 238 bits of randomness: a slow password hash would protect it no better.
    return hashlib.sha256(plaintext.encode()).hexdigest()
