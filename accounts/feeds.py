"""Feed tokens: how they are made, shown again, replaced, and found.

The owner looks the URL up whenever another reader is to subscribe, so that a digest alone would not do:
the token is kept sealed, and beside it the digest that finds it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from accounts.models import Account, FeedToken
from accounts.tokens import digest_of, random_text
from probes.vault import Vault

TOKEN_LENGTH = 32
FIELD = "feed.token"


def token_of(account: Account, kind: FeedToken.Kind) -> str | None:
    """The account's token of this kind, in plain text, if it has one; raises `VaultError`."""
    token = account.feed_tokens.filter(kind=kind).first()
    return _opened(token) if token else None


def ensure_token(account: Account, kind: FeedToken.Kind, now: datetime) -> str:
    """The account's token of this kind, made where there is none; raises `VaultError`."""
    defaults = _new_values(account, now)
    return _opened(FeedToken.objects.get_or_create(account=account, kind=kind, defaults=defaults)[0])


def rotate_token(account: Account, kind: FeedToken.Kind, now: datetime) -> str:
    """A new token in place of the old one, which opens nothing from now on."""
    defaults = _new_values(account, now)
    return _opened(FeedToken.objects.update_or_create(account=account, kind=kind, defaults=defaults)[0])


def remove_token(account: Account, kind: FeedToken.Kind) -> bool:
    """Whether there was a token; it opens nothing from now on."""
    return account.feed_tokens.filter(kind=kind).delete()[0] > 0


def find_reader(token: str, kind: FeedToken.Kind) -> Account | None:
    """The account that this token opens; None where it opens nothing, or the account is suspended."""
    # What is compared is a digest: how long that takes tells nothing of the token.
    found = FeedToken.objects.filter(kind=kind, digest=digest_of(token), account__suspended_at=None)
    match = found.select_related("account").first()
    return match.account if match else None


def _new_values(account: Account, now: datetime) -> dict[str, Any]:
    token = random_text(TOKEN_LENGTH)
    sealed = Vault(settings.ENCRYPTION_KEYS).seal(token, account=account.pk, field=FIELD)
    return {"digest": digest_of(token), "sealed": sealed, "created_at": now}


def _opened(token: FeedToken) -> str:
    return Vault(settings.ENCRYPTION_KEYS).unseal(token.sealed, account=token.account_id, field=FIELD)
