"""Django's registration of the package."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate
from django.utils import timezone


class MonitorsConfig(AppConfig):
    name = "monitors"

    def ready(self) -> None:
        from monitors import checks  # noqa: F401  # registers them

        post_migrate.connect(_first_partitions, sender=self)


def _first_partitions(**kwargs: object) -> None:
    """A new database can take evidence as soon as it is migrated."""
    from monitors.partitions import keep_partitions

    keep_partitions(
        timezone.now(),
        evidence_days=settings.EVIDENCE_RETENTION_DAYS,
        rollup_days=settings.ROLLUP_RETENTION_DAYS,
    )
