"""Requests for tests, and single looks."""

from __future__ import annotations

from typing import Any

import uvloop

from probes.clock import now_ms
from probes.curl import Curl
from probes.guard import AddressPolicy
from probes.measurement import Measurement
from probes.messages import HttpTarget, ProbeRequest, Target
from probes.protocols import PROBES


def ask(
    monitor_id: int,
    target: Target | str,
    *,
    timeout_ms: int = 5000,
    late_ms: int = 60_000,
    round_id: int | None = None,
    suspect_after_ms: int | None = None,
    latency_warn_ms: int | None = None,
    early_ms: int = 0,
) -> ProbeRequest:
    """A request that is due `early_ms` from now, and may start up to `late_ms` from now."""
    return ProbeRequest(
        monitor_id=monitor_id,
        config_version=1,
        scheduled_at_ms=now_ms() + early_ms,
        round_id=round_id,
        target=HttpTarget(url=target) if isinstance(target, str) else target,
        timeout_ms=timeout_ms,
        suspect_after_ms=suspect_after_ms,
        latency_warn_ms=latency_warn_ms,
        start_by_ms=now_ms() + late_ms,
    )


def look_at(target: Target, policy: AddressPolicy, timeout_ms: int = 5000) -> Measurement:
    """Probes `target` once."""

    async def once() -> Measurement:
        async with Curl(policy) as curl:
            return await PROBES[type(target)](target, timeout_ms, curl)

    return uvloop.run(once())


def look(policy: AddressPolicy, url: str, timeout_ms: int = 5000, **target: Any) -> Measurement:
    """Probes a URL once."""
    return look_at(HttpTarget(url=url, **target), policy, timeout_ms)
