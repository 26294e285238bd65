"""The faults: one registry line each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from benchmarks.accuracy import lasting, ours, passing
from benchmarks.accuracy.behaviours import answer, drip, hang, redirect
from benchmarks.accuracy.lab import Lab, Watched
from benchmarks.accuracy.scoring import Arrival, Cause, Score, score, score_flapping


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, done to monitors of its own."""

    name: str
    run: Callable[[Lab], Awaitable[list[Watched]]]
    """Does the fault, and returns the monitors that saw it, or were to see nothing."""
    alone: bool = False
    """It hurts the system itself, so nothing else runs meanwhile."""
    judge: Callable[[Sequence[Cause], Sequence[Arrival]], Score] = score


FAULTS = (
    Fault("http 5xx", lasting.behaves(answer(503))),
    Fault("connection refused", lasting.refuses()),
    Fault("hang", lasting.behaves(hang)),
    Fault("slow drip", lasting.behaves(drip)),
    Fault("dns failure", lasting.behaves(redirect("gone.invalid"), well=redirect("localhost"))),
    Fault("tls expiry", lasting.expires),
    Fault("tcp port closed", lasting.refuses("tcp")),
    Fault("one failing answer", passing.blips),
    Fault("down for one region only", passing.one_region),
    Fault("flapping", passing.flaps, judge=score_flapping),
    Fault("one region cut off", ours.one_region_cut_off, alone=True),
    Fault("all regions cut off", ours.all_regions_cut_off, alone=True),
    Fault("core killed in an outage", ours.killed("celery", "worker"), alone=True),
    Fault("beat killed in an outage", ours.killed("celery", "beat"), alone=True),
    Fault("broker killed in an outage", ours.killed("valkey-server"), alone=True),
    Fault("database killed in an outage", ours.killed("postgres", "-D"), alone=True),
)
