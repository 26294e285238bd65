"""What needs no more than a PostgreSQL and a Redis. To be imported once Django is set up on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection

from benchmarks.pipeline.claiming import claim_ms
from benchmarks.pipeline.figures import Figures
from benchmarks.pipeline.ingesting import ingest_rows_per_s
from benchmarks.pipeline.looking import bare_probe_per_s, blackbox_probe_per_s, worker_probe_per_s
from benchmarks.pipeline.naive import naive_checks_per_s
from benchmarks.probes.contenders import Ports


def measure(parts: Collection[str], ports: Ports, say: Callable[[str], None]) -> Figures:
    """These parts, one after the other."""
    url, database_url = f"http://127.0.0.1:{ports['http']}/", os.environ["UPQUORUM_DATABASE_URL"]
    steps: dict[str, tuple[str, Callable[[], object]]] = {
        "bare": ("bare_probe_per_s", lambda: bare_probe_per_s(ports)),
        "worker": ("worker_probe_per_s", lambda: worker_probe_per_s(url)),
        "blackbox": ("blackbox_probe_per_s", lambda: blackbox_probe_per_s(ports)),
        "naive": ("naive_checks_per_s", lambda: naive_checks_per_s(url, say)),
        "ingest": ("ingest_rows_per_s", lambda: ingest_rows_per_s(database_url, say)),
        "claim": ("claim_ms", lambda: claim_ms(database_url, say)),
    }
    measured: Figures = {}
    for part, (key, step) in steps.items():
        if part in parts:
            say(f"{part} ...")
            measured[key] = step()
    return measured
