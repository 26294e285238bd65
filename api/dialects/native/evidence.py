"""What probes saw, in the native format: of stored rows, and as incidents and votes keep it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitors.models import Evidence
from probes.instants import from_unix_ms, rfc3339
from probes.messages import TIMINGS


def stored_evidence_body(evidence: Evidence) -> dict[str, Any]:
    """One row of evidence."""
    ends = evidence.cert_expires_at
    body = _evidence(vars(evidence), evidence.started_at)
    return body | ({"cert_expires_at": rfc3339(ends)} if ends else {})


def kept_evidence_body(result: dict[str, Any]) -> dict[str, Any]:
    """A result as an incident or a vote keeps it."""
    return _evidence(result, from_unix_ms(result["started_at_ms"]))


def _evidence(seen: dict[str, Any], at: datetime) -> dict[str, Any]:
    """What was not reached is left out: no status code of a refused connection, no TLS of plain http."""
    body = {"region": seen["region"].upper(), "timestamp": rfc3339(at)}
    for name in ("status_code", "error_class", "error", "address", "family"):
        if seen.get(name):
            body[name] = seen[name]
    timings = {name: seen.get(name) for name in TIMINGS}
    return body | {name: round(value) for name, value in timings.items() if value is not None}
