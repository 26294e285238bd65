"""What an operator may have sent elsewhere: errors to Sentry, and traces by OpenTelemetry.

Each is on where its variable is set; only then is its package imported, which requirements/telemetry.txt
installs. The addresses are the operator's own and no user's: the guard has no say in them, and a private
one is as good as any.
"""

from __future__ import annotations

from probes.telemetry import sentry, tracing


def check() -> None:
    """Raises `BadSetting` where something is asked for that cannot be had."""
    sentry.check()
    tracing.check()


def set_up(process: str, region: str = "") -> None:
    """Once in each process, and by itself: threads do not survive a fork. Raises `BadSetting`."""
    check()
    sentry.set_up(process, region)
    tracing.set_up(process, region)


def close() -> None:
    """Send what waits, for a bounded time: for those who end by `os._exit`; others do so by themselves."""
    sentry.close()
    tracing.close()
