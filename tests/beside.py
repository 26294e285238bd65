"""Steps over a database connection of their own, beside a transaction of the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import connection

Answer = TypeVar("Answer")


def apart(step: Callable[[], Answer]) -> Answer:
    """What `step` returns, in a thread that is to leave no connection behind."""
    try:
        return step()
    finally:
        connection.close()


def wait_until_blocked() -> None:
    """Return as soon as some connection waits for a lock of ours."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            if cursor.fetchone():
                return
