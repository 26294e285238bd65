"""Secrets at rest and in messages: encrypted, authenticated and bound to the place they belong to."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class VaultError(Exception):
    """A key that is no key, or a token that these keys or this place do not open; never says the secret."""


class Vault:
    """Seals with the first of `keys`, opens with any of them; each is a `Fernet.generate_key()` as text."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise VaultError("encryption keys must be one or more Fernet keys") from error

    def seal(self, value: str, *, account: int, field: str) -> str:
        """The token of `value`, which opens only as this `field` of this `account`."""
        # Fernet has no associated data: what binds the token to its place travels inside it.
        content = json.dumps({"account": account, "field": field, "value": value})
        return self._fernet.encrypt(content.encode()).decode()

    def unseal(self, token: str, *, account: int, field: str) -> str:
        """The value in `token`; raises `VaultError` when it was not sealed as this field of this account."""
        try:
            content = json.loads(self._fernet.decrypt(token))
        except InvalidToken as error:
            raise VaultError(f"{field}: no key opens this token") from error
        if (content["account"], content["field"]) != (account, field):
            raise VaultError(f"{field}: this token was sealed for another place")
        value: str = content["value"]
        return value

    def rotate(self, token: str) -> str:
        """The same content under the first key, so that an old key can be dropped; raises `VaultError`."""
        try:
            return self._fernet.rotate(token).decode()
        except InvalidToken as error:
            raise VaultError("no key opens this token") from error
