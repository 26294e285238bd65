"""What all tests share: a database that has a place for the evidence of their instant, whatever today is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.make import NOW


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """As pytest-django's; migrating makes the partitions of today."""
    from monitors.partitions import keep_partitions

    with django_db_blocker.unblock():
        keep_partitions(NOW, evidence_days=7, rollup_days=400)
