"""API keys: shown once, stored as a digest, refused when unknown, revoked or past their end."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta

import pytest

from accounts.keys import find_key, issue_key, mark_used, rotate_key
from accounts.models import Account, ApiKey
from tests.incidents.test_races import at_once

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return Account.objects.create(name="a", created_at=NOW)


def test_a_key_is_of_letters_and_digits_behind_its_scheme(account: Account) -> None:
    assert re.fullmatch(r"umk_live_[A-Za-z0-9]{40}", issue_key(account, "ci", NOW)[1])


def test_the_plain_text_is_stored_nowhere(account: Account) -> None:
    key, plaintext = issue_key(account, "ci", NOW)
    row = ApiKey.objects.filter(pk=key.pk).values().get()
    assert plaintext not in str(row)
    assert plaintext[-24:] not in str(row)


def test_its_plain_text_finds_it_with_its_account(account: Account) -> None:
    key, plaintext = issue_key(account, "ci", NOW)
    issue_key(account, "other", NOW)
    found = find_key(plaintext, NOW)
    assert found == key
    assert found.account == account


@pytest.mark.parametrize(
    "change", [lambda k: k[:-1], lambda k: k + "x", lambda k: k[:17] + "x" * 32, lambda k: ""]
)
def test_any_other_text_finds_nothing(account: Account, change: object) -> None:
    _, plaintext = issue_key(account, "ci", NOW)
    assert callable(change)
    assert find_key(change(plaintext), NOW) is None


def test_a_key_is_refused_from_its_end_on(account: Account) -> None:
    key, plaintext = issue_key(account, "ci", NOW)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=NOW + timedelta(minutes=5))
    assert find_key(plaintext, NOW + timedelta(minutes=4)) == key
    assert find_key(plaintext, NOW + timedelta(minutes=5)) is None


def test_use_is_noted_to_the_minute(account: Account) -> None:
    key, plaintext = issue_key(account, "ci", NOW)
    for seconds, noted in [(0, 0), (59, 0), (61, 61)]:
        used = find_key(plaintext, NOW + timedelta(seconds=seconds))
        assert used
        mark_used(used, NOW + timedelta(seconds=seconds))
        key.refresh_from_db()
        assert key.last_used_at == NOW + timedelta(seconds=noted)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(10))
def test_of_two_that_rotate_a_key_one_replaces_it(account: Account, _: int) -> None:
    old = issue_key(account, "ci", NOW)[0]
    replaced: list[str] = []

    def rotate() -> None:
        with contextlib.suppress(ApiKey.DoesNotExist):
            replaced.append(rotate_key(old, NOW)[1])

    at_once(rotate, rotate)
    (only,) = replaced
    assert find_key(only, NOW) == ApiKey.objects.lasting().get()
