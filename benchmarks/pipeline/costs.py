"""Whose CPU a part that runs in this process takes: its own, or that of its process of PostgreSQL."""

from __future__ import annotations

import time

import psutil
from django.db import connection


class Costs:
    """What is spent from now on."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._server = psutil.Process(connection.connection.info.backend_pid)
        self._began = self._spent()

    def per_check(self, checks: int) -> str:
        """Of either, divided by so many checks."""
        ours, servers = (
            (now - before) * 1e6 / checks for now, before in zip(self._spent(), self._began, strict=True)
        )
        return f"CPU a check: Python {ours:.1f} µs, PostgreSQL {servers:.1f} µs"

    def _spent(self) -> tuple[float, float]:
        times = self._server.cpu_times()
        return time.thread_time(), times.user + times.system
