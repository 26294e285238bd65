from __future__ import annotations

import traceback

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from probes.vault import Vault, VaultError

OLD = Fernet.generate_key().decode()
NEW = Fernet.generate_key().decode()


@given(st.text(), st.integers(), st.text())
def test_a_sealed_value_opens_in_its_own_place(value: str, account: int, field: str) -> None:
    vault = Vault([NEW])

    token = vault.seal(value, account=account, field=field)

    assert vault.unseal(token, account=account, field=field) == value


def test_a_token_does_not_show_its_value_and_is_never_the_same_twice() -> None:
    vault = Vault([NEW])
    tokens = {vault.seal("hunter2", account=1, field="password") for _ in range(2)}

    assert len(tokens) == 2
    assert not any("hunter2" in token for token in tokens)


@pytest.mark.parametrize(("account", "field"), [(2, "password"), (1, "token")])
def test_a_token_moved_to_another_account_or_field_is_refused(account: int, field: str) -> None:
    vault = Vault([NEW])
    token = vault.seal("hunter2", account=1, field="password")

    with pytest.raises(VaultError, match="sealed for another place"):
        vault.unseal(token, account=account, field=field)


@pytest.mark.parametrize(
    "damage", [lambda t: "", lambda t: "plain text", lambda t: t[:-1], lambda t: "A" + t]
)
def test_a_damaged_token_is_refused(damage: object) -> None:
    assert callable(damage)
    vault = Vault([NEW])
    token = damage(vault.seal("hunter2", account=1, field="password"))

    with pytest.raises(VaultError, match="no key opens"):
        vault.unseal(token, account=1, field="password")
    with pytest.raises(VaultError, match="no key opens"):
        vault.rotate(token)


def test_rotation_moves_a_token_to_the_first_key() -> None:
    token = Vault([OLD]).seal("hunter2", account=1, field="password")
    with pytest.raises(VaultError):
        Vault([NEW]).unseal(token, account=1, field="password")

    rotated = Vault([NEW, OLD]).rotate(token)

    assert Vault([NEW]).unseal(rotated, account=1, field="password") == "hunter2"


@pytest.mark.parametrize("keys", [[], [""], ["too-short"], [NEW, "too-short"]])
def test_keys_that_are_no_keys_are_refused_and_not_repeated(keys: list[str]) -> None:
    with pytest.raises(VaultError) as caught:
        Vault(keys)

    assert "too-short" not in "".join(traceback.format_exception(caught.value))
