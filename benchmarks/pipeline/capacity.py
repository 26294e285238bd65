"""How much the whole system carries, what a check costs then, and how late it is at half of that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.environment import wait_for
from benchmarks.pipeline import system
from benchmarks.pipeline.figures import Figures
from benchmarks.pipeline.system import System, Window
from benchmarks.probes.contenders import Ports
from benchmarks.probes.target import HOLD_SECONDS

INTERVAL_SECONDS = 60
FIRST_PER_S, GROWTH, MOST_PER_S = 1_000.0, 1.2, 13_000.0
SETTLE_SECONDS, WINDOW_SECONDS = 6.0, 12.0
LEAST_SHARE = 0.95
"""Of what is offered: a load of which less is done is too much."""
MOST_LAG_SECONDS = 5.0

IN_FLIGHT = 1_000
SLOW_TIMEOUT_MS = 30_000
"""So that what takes 4 s raises no suspicion."""
SLOW_INTERVAL_SECONDS = 20
SLOW_SETTLE_SECONDS = 30

Say = Callable[[str], None]


def pipeline(folder: Path, ports: Ports, say: Say) -> Figures:
    """All figures of the running system; each of a new one, since what was overloaded is not itself."""
    with system.running(folder / "capacity") as running:
        best = capacity(running, f"http://127.0.0.1:{ports['http']}/", say)
    with system.running(folder / "half") as running:
        half = at_half(running, best.checks_per_s, f"http://127.0.0.1:{ports['http']}/", say)
    with system.running(folder / "memory") as running:
        memory = memory_under_way(running, f"http://127.0.0.1:{ports['slow']}/", say)
    return {
        "pipeline_checks_per_s": round(best.checks_per_s),
        "pipeline_cpu_ms_per_check": round(best.cpu_ms_per_check, 3),
        "lag_p50_s": round(half.lag_p50_s, 3),
        "lag_p99_s": round(half.lag_p99_s, 3),
        "memory_mb": memory,
    }


def capacity(running: System, url: str, say: Say) -> Window:
    """Offer more and more until it is too much; the most that was carried."""
    running.load(MOST_PER_S, INTERVAL_SECONDS, url)
    best, offered = None, FIRST_PER_S
    while offered <= MOST_PER_S and carries(window := step(running, offered, say)):
        best, offered = window, offered * GROWTH
    assert best, f"not even {FIRST_PER_S:.0f} checks a second"
    return best


def at_half(running: System, checks_per_s: float, url: str, say: Say) -> Window:
    """Half of what is carried, with all the monitors that make it, and no more."""
    running.load(checks_per_s / 2, INTERVAL_SECONDS, url)
    return step(running, checks_per_s / 2, say)


def step(running: System, per_s: float, say: Say) -> Window:
    """Offer a load, and watch it once it is steady."""
    running.offer(per_s)
    running.watch(SETTLE_SECONDS)
    seen = running.watch(WINDOW_SECONDS)
    say(
        f"offered {per_s:.0f}: {seen.checks_per_s:.0f} checks/s, {seen.cpu_ms_per_check:.3f} ms of CPU each, "
        f"lag p50 {seen.lag_p50_s:.2f} s, p99 {seen.lag_p99_s:.2f} s; "
        f"in us: {', '.join(f'{name} {us}' for name, us in seen.cpu_us_by_program.items())}"
    )
    return seen


def carries(window: Window) -> bool:
    """Whether the load was not too much."""
    is_done = window.checks_per_s >= LEAST_SHARE * window.offered_per_s
    return is_done and window.lag_p99_s <= MOST_LAG_SECONDS


def memory_under_way(running: System, url: str, say: Say) -> dict[str, float]:
    """With as many probes under way in each region as are to be, which a slow target makes easy."""
    regions = len(running.in_flight())
    per_s = regions * IN_FLIGHT / HOLD_SECONDS
    running.load(per_s, SLOW_INTERVAL_SECONDS, url, timeout_ms=SLOW_TIMEOUT_MS)
    running.offer(per_s)
    wait_for(
        "probes in flight",
        lambda: min(running.in_flight().values()) >= LEAST_SHARE * IN_FLIGHT,
        SLOW_SETTLE_SECONDS,
    )
    say(f"in flight: {running.in_flight()}")
    return running.memory_mb()
