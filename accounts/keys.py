"""API keys: how they are made, stored, found and checked."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.models import Account, ApiKey
from accounts.tokens import digest_of, random_text

SECRET_LENGTH = 40
SHOWN_LENGTH = 8
"""So much of the secret is stored and shown, behind the scheme."""
LAST_USED_RESOLUTION = timedelta(minutes=1)
ROTATION_GRACE = timedelta(minutes=5)
SHAPE = re.compile(f"(?:[a-z]+_)+[A-Za-z0-9]{{{SECRET_LENGTH}}}")


@dataclass(frozen=True)
class KeyKind:
    """What a key's plain text begins with, and the wire format in which it is answered."""

    scheme: str = "umk_live_"
    format: str = ""


ORDINARY = KeyKind()


class KeyLimitReached(Exception):
    """The account has as many keys as it may."""


class LastKey(Exception):
    """Without this key the account could not be reached any more."""


def issue_key(
    account: Account,
    label: str,
    now: datetime,
    scopes: Sequence[str] | None = None,
    kind: KeyKind = ORDINARY,
) -> tuple[ApiKey, str]:
    """A new key of `account` and its plain text, which is stored nowhere and so can be shown only now."""
    plaintext = kind.scheme + random_text(SECRET_LENGTH)
    key = ApiKey.objects.create(
        account=account,
        label=label,
        prefix=_shown(plaintext),
        digest=digest_of(plaintext),
        scopes=None if scopes is None else list(scopes),
        format=kind.format,
        created_at=now,
    )
    return key, plaintext


@transaction.atomic
def add_key(
    account: Account,
    label: str,
    now: datetime,
    scopes: Sequence[str] | None = None,
    kind: KeyKind = ORDINARY,
) -> tuple[ApiKey, str]:
    """One more key, and its plain text; raises `KeyLimitReached`."""
    limit = Account.objects.select_for_update().get(pk=account.pk).key_limit
    if account.api_keys.lasting().count() >= limit:
        raise KeyLimitReached
    return issue_key(account, label, now, scopes, kind)


@transaction.atomic
def rotate_key(key: ApiKey, now: datetime) -> tuple[ApiKey, str]:
    """A key in place of `key`, and its plain text; the old one is valid for `ROTATION_GRACE` more.

    Raises `ApiKey.DoesNotExist` where it ends already, or is gone: a key is replaced once.
    """
    Account.objects.select_for_update().get(pk=key.account_id)
    if not ApiKey.objects.lasting().filter(pk=key.pk).update(expires_at=now + ROTATION_GRACE):
        raise ApiKey.DoesNotExist
    kind = KeyKind(scheme=key.prefix[:-SHOWN_LENGTH], format=key.format)
    return issue_key(key.account, key.label, now, key.scopes, kind)


@transaction.atomic
def revoke_key(key: ApiKey) -> None:
    """Refuse `key` from now on; raises `LastKey` where no lasting key would be left."""
    Account.objects.select_for_update().get(pk=key.account_id)
    others = ApiKey.objects.lasting().filter(account=key.account_id).exclude(pk=key.pk)
    if key.expires_at is None and not others.exists():
        raise LastKey
    key.delete()


def find_key(plaintext: str, now: datetime) -> ApiKey | None:
    """The valid key with this plain text, with its account; the secret is compared in constant time."""
    if not SHAPE.fullmatch(plaintext):
        return None
    digest = digest_of(plaintext)
    candidates = ApiKey.objects.valid(now).filter(prefix=_shown(plaintext))
    for key in candidates.select_related("account"):
        if hmac.compare_digest(key.digest, digest):
            return key
    return None


def mark_used(key: ApiKey, now: datetime) -> None:
    """Note the use of a key, to the minute: one write a minute however many requests come."""
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_RESOLUTION)
    if key.last_used_at is None or key.last_used_at < now - LAST_USED_RESOLUTION:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def _shown(plaintext: str) -> str:
    return plaintext[: SHOWN_LENGTH - SECRET_LENGTH]
