"""A monitor's history in the native format: single results, uptime, and latency for a chart."""

from __future__ import annotations

from typing import Any

from api.dialects.native.evidence import stored_evidence_body
from incidents.uptime import Uptime
from monitors.history import STEPS, Point, Window
from monitors.models import Evidence
from probes.instants import rfc3339


def result_body(evidence: Evidence) -> dict[str, Any]:
    """One probe: `round_id` only where it was asked for a round's vote."""
    body = {"outcome": evidence.outcome, "scheduled_at": rfc3339(evidence.scheduled_at)}
    vote = {"round_id": evidence.round_id} if evidence.round_id else {}
    return body | vote | stored_evidence_body(evidence)


def uptime_body(found: Uptime) -> dict[str, Any]:
    """The percentage, null where nothing was seen, and all that it rests on."""
    return _window_body(found.window) | {
        "uptime_pct": found.percent,
        "downtime_seconds": round(found.trouble.downtime_seconds, 3),
        "watched_seconds": round(found.watched_seconds, 3),
        "checks": found.counts.checks,
        "failures": found.counts.failures,
        "missed": found.counts.missed,
        "errors": found.counts.errors,
        "inconclusive": found.trouble.inconclusive,
        "incidents": found.trouble.incidents,
    }


def latency_body(window: Window, points: list[Point]) -> dict[str, Any]:
    """The series of all regions, oldest first."""
    step_seconds = int(STEPS[window.name][1].total_seconds())
    return _window_body(window) | {"step_seconds": step_seconds, "points": [_point_body(p) for p in points]}


def _window_body(window: Window) -> dict[str, Any]:
    return {"window": window.name, "from": rfc3339(window.since), "to": rfc3339(window.until)}


def _point_body(point: Point) -> dict[str, Any]:
    return {
        "at": rfc3339(point.at),
        "region": point.region.upper(),
        "checks": int(point.checks),
        "p50_ms": round(point.p50_ms),
        "p95_ms": round(point.p95_ms),
        "max_ms": round(point.max_ms),
    }
