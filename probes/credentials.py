"""Headers that carry a secret: sealed where a monitor is stored, opened in the worker that sends them.

Only a worker that is sent such a header needs the keys; all others do their work without.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache

from probes import env
from probes.messages import SealedHeader
from probes.vault import Vault, VaultError

FIELD = "http_auth"


def basic(user: str, password: str) -> str:
    """The value of `Authorization` for a user, in UTF-8 (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def seal_header(vault: Vault, account_id: int, name: str, value: str) -> SealedHeader:
    """The header as it is stored and sent to a region."""
    token = vault.seal(value, account=account_id, field=FIELD)
    return SealedHeader(name=name, token=token, account_id=account_id)


def open_header(sealed: SealedHeader) -> tuple[str, str]:
    """Name and value; raises `VaultError`, also where this worker has no keys."""
    return sealed.name, worker_vault().unseal(sealed.token, account=sealed.account_id, field=FIELD)


@cache
def worker_vault() -> Vault:
    """With the keys in `UPQUORUM_ENCRYPTION_KEYS` or its `_FILE`; raises `VaultError`."""
    try:
        keys = env.secret("ENCRYPTION_KEYS")
    except env.BadSetting as error:
        raise VaultError(str(error)) from error
    if not keys:
        raise VaultError("this worker has no UPQUORUM_ENCRYPTION_KEYS")
    return Vault(env.listed(keys))
