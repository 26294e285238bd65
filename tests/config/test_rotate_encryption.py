"""Encryption keys replaced: what was sealed opens with the new one alone, and still is what it was."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command

from accounts.feeds import ensure_token, token_of
from accounts.models import Account, FeedToken
from api.http_auth import auth_options
from config.management.commands.rotate_encryption import SEALED
from probes.credentials import FIELD
from probes.vault import Vault
from tests.make import monitor
from tests.webhooks.conftest import NOW, SUBJECT, make_webhook
from webhooks import services
from webhooks.models import Webhook
from webhooks.sealing import open_secret

KIND = next(iter(FeedToken.Kind))
BASIC = {"http_auth_type": "basic", "http_auth_username": "ana", "http_auth_password": "s3cret"}


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create(name="Example", created_at=NOW)


def secrets_of(account: Account) -> list[str | None]:
    webhook = Webhook.objects.get()
    opened = [open_secret(sealed, account.pk) for sealed in (webhook.secret, webhook.previous_secret)]
    return [*opened, token_of(account, KIND)]


def test_the_old_key_can_go_and_every_secret_stays(account: Account, settings: Any) -> None:
    make_webhook(account)
    services.rotate_secret(account_id=account.pk, subject_id=SUBJECT, now=NOW)
    ensure_token(account, KIND, NOW)
    before, new_key = secrets_of(account), Fernet.generate_key().decode()

    settings.ENCRYPTION_KEYS = [new_key, *settings.ENCRYPTION_KEYS]
    call_command("rotate_encryption")

    settings.ENCRYPTION_KEYS = [new_key]
    assert secrets_of(account) == before


def test_the_credentials_of_monitors_stay(account: Account, settings: Any) -> None:
    made = monitor(account, options={"expected_status": 200} | auth_options(BASIC, account.pk))
    new_key = Fernet.generate_key().decode()

    settings.ENCRYPTION_KEYS = [new_key, *settings.ENCRYPTION_KEYS]
    call_command("rotate_encryption")

    made.refresh_from_db()
    opened = Vault([new_key]).unseal(made.options["auth"]["token"], account=account.pk, field=FIELD)
    assert (opened, made.options["expected_status"]) == ("Basic YW5hOnMzY3JldA==", 200)


def test_what_no_key_opens_is_named_and_not_shown(account: Account, settings: Any) -> None:
    webhook = make_webhook(account)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError, match=rf"webhooks.Webhook {webhook.pk}, secret: no key") as raised:
        call_command("rotate_encryption")

    assert webhook.secret not in str(raised.value)


def test_no_column_with_a_secret_is_forgotten() -> None:
    columns = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.startswith("sealed") or field.name.endswith("secret")
    }

    assert columns == set(SEALED)
