"""`manage.py create_key`: a key of any format, printed once."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Account, ApiKey


def create_key(*arguments: str) -> str:
    out = StringIO()
    call_command("create_key", *arguments, stdout=out)
    return out.getvalue().strip()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "scheme", "path"),
    [
        ((), "umk_live_", "/api/v1/monitors"),
        (("--format", "tcp-monitors"), "uptime_", "/v1/tcp-monitors"),
    ],
)
def test_a_key_opens_what_its_format_is_for(arguments: tuple[str, ...], scheme: str, path: str) -> None:
    key = create_key(*arguments)
    assert key.startswith(scheme)
    assert Client(headers={"Authorization": f"Bearer {key}"}).get(path).status_code == 200


@pytest.mark.django_db
def test_the_first_key_is_made_once() -> None:
    assert create_key("--first")
    assert create_key("--first") == ""
    assert (Account.objects.count(), ApiKey.objects.count()) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [("--format", "gopher"), ("--label", "ab")])
def test_what_makes_no_sense_makes_no_key(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        create_key(*arguments)
    assert not ApiKey.objects.exists()
