"""`manage.py rotate_encryption`: seal everything again with the first encryption key."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model

from probes.vault import Vault, VaultError

SEALED = (
    ("webhooks.Webhook", "secret"),
    ("webhooks.Webhook", "previous_secret"),
    ("accounts.FeedToken", "sealed"),
)
"""Every column that holds what a vault sealed."""


class Command(BaseCommand):
    help = "Seal every stored secret again with the first of the encryption keys; the others can then go."

    def handle(self, *args: Any, **options: Any) -> None:
        vault = Vault(settings.ENCRYPTION_KEYS)
        for name, column in SEALED:
            self.stdout.write(f"{name}.{column}: {self._seal_again(vault, apps.get_model(name), column)}")

    def _seal_again(self, vault: Vault, model: type[Model], column: str) -> int:
        rows = model._default_manager.exclude(**{column: ""}).values_list("pk", column)
        return sum(self._replace(vault, model, column, *row) for row in rows.iterator())

    def _replace(self, vault: Vault, model: type[Model], column: str, pk: int, sealed: str) -> int:
        try:
            sealed_again = vault.rotate(sealed)
        except VaultError as error:
            raise CommandError(f"{model._meta.label} {pk}, {column}: {error}") from error
        # Only what was read: a secret that was replaced in the meantime is sealed with the first key already.
        return model._default_manager.filter(**{"pk": pk, column: sealed}).update(**{column: sealed_again})
