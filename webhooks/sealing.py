"""A webhook's secret at rest: sealed for its account, by the keys in the settings."""

from __future__ import annotations

from django.conf import settings

from probes.vault import Vault

FIELD = "webhook.secret"


def seal_secret(secret: str, account_id: int) -> str:
    """What the database holds instead of `secret`."""
    return Vault(settings.ENCRYPTION_KEYS).seal(secret, account=account_id, field=FIELD)


def open_secret(sealed: str, account_id: int) -> str:
    """The `whs_live_…` text that was sealed for this account; raises `VaultError`."""
    return Vault(settings.ENCRYPTION_KEYS).unseal(sealed, account=account_id, field=FIELD)
