"""What all tests share: a database that has a place for the evidence of their instant, whatever today is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.make import NOW

PARTITIONED = ("monitors_evidence", "monitors_regionhour")
"""No models of Django's, so what a test with real commits leaves there is not flushed."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The stories first: they wait more than they work, and would be waited for at the end."""
    items.sort(key=lambda item: item.path.parent.name != "e2e")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """As pytest-django's; migrating makes the partitions of today."""
    from monitors.partitions import keep_partitions

    with django_db_blocker.unblock():
        keep_partitions(NOW, evidence_days=7, rollup_days=400)


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """A test that commits leaves no evidence to those that come after it, whichever these are."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            for table in PARTITIONED:
                cursor.execute(f"DELETE FROM {table}")
