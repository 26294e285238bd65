"""Requests for tests."""

from __future__ import annotations

from probes.clock import now_ms
from probes.messages import HttpTarget, ProbeRequest, Target


def ask(
    monitor_id: int,
    target: Target | str,
    *,
    timeout_ms: int = 5000,
    late_ms: int = 60_000,
    round_id: int | None = None,
) -> ProbeRequest:
    """A request that is due now, and may start up to `late_ms` from now."""
    return ProbeRequest(
        monitor_id=monitor_id,
        config_version=1,
        scheduled_at_ms=now_ms(),
        round_id=round_id,
        target=HttpTarget(url=target) if isinstance(target, str) else target,
        timeout_ms=timeout_ms,
        start_by_ms=now_ms() + late_ms,
    )
