"""`manage.py rotate_encryption`: seal everything again with the first encryption key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, QuerySet

from monitors.models import Monitor
from probes.vault import Vault, VaultError

Row = TypeVar("Row")

SEALED = (
    ("webhooks.Webhook", "secret"),
    ("webhooks.Webhook", "previous_secret"),
    ("accounts.FeedToken", "sealed"),
    ("monitors.Heartbeat", "sealed_token"),
    ("monitors.Heartbeat", "sealed_secret"),
    ("staff.Authenticator", "sealed"),
)
"""Every column that holds what a vault sealed."""


class Command(BaseCommand):
    help = "Seal every stored secret again with the first of the encryption keys; the others can then go."

    def handle(self, *args: Any, **options: Any) -> None:
        vault = Vault(settings.ENCRYPTION_KEYS)
        for name, column in SEALED:
            self.stdout.write(f"{name}.{column}: {self._seal_again(vault, apps.get_model(name), column)}")

        self.stdout.write(f"monitors.Monitor.options.auth: {self._seal_credentials_again(vault)}")

    def _seal_credentials_again(self, vault: Vault) -> int:
        """The credentials of http monitors, which are among their options."""
        monitors = Monitor.objects.filter(options__has_key="auth")
        with _read(monitors) as found:
            return sum(self._replace_credentials(vault, each) for each in found)

    def _replace_credentials(self, vault: Vault, monitor: Monitor) -> int:
        auth = monitor.options["auth"]
        sealed_again = _rotated(vault, auth["token"], f"monitors.Monitor {monitor.pk}, auth")
        options = monitor.options | {"auth": auth | {"token": sealed_again}}
        return Monitor.objects.filter(pk=monitor.pk, options=monitor.options).update(options=options)

    def _seal_again(self, vault: Vault, model: type[Model], column: str) -> int:
        rows = model._default_manager.exclude(**{column: ""}).values_list("pk", column)
        with _read(rows) as found:
            return sum(self._replace(vault, model, column, *row) for row in found)

    def _replace(self, vault: Vault, model: type[Model], column: str, pk: int, sealed: str) -> int:
        sealed_again = _rotated(vault, sealed, f"{model._meta.label} {pk}, {column}")
        # Only what was read: a secret that was replaced in the meantime is sealed with the first key already.
        return model._default_manager.filter(**{"pk": pk, column: sealed}).update(**{column: sealed_again})


@contextmanager
def _read(rows: QuerySet[Any, Row]) -> Iterator[Iterator[Row]]:
    """Row by row, from a cursor that is closed here.

    Left to the garbage collector after a refusal, it would be closed amid a later transaction, and break it.
    """
    found = rows.iterator()
    try:
        yield found
    finally:
        found.close()  # type: ignore[attr-defined]  # it is a generator


def _rotated(vault: Vault, sealed: str, place: str) -> str:
    """`sealed` under the first key; a refusal says where it is, and not what."""
    try:
        return vault.rotate(sealed)
    except VaultError as error:
        raise CommandError(f"{place}: {error}") from error
