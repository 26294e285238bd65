"""Which type a monitor has in the flat format, where it is not simply its own."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q

from api.monitor_types import MONITOR_TYPES
from monitors.models import Monitor

CONTRACT = ("http", "ssl", "heartbeat", "keyword", "port", "dns")
TYPES: list[str] = [name for name in CONTRACT if name in MONITOR_TYPES]
SHOWN = Q(type__in=[*TYPES, "tcp"])


def type_of(monitor: Monitor) -> str:
    """A tcp monitor is a port here, and an http one that looks for a text is a keyword."""
    if monitor.type == "tcp":
        return "port"
    return "keyword" if monitor.options.get("body_match") is not None else monitor.type


def option_names(monitor: Monitor) -> Mapping[str, str]:
    """By field, the options that the monitor may have here."""
    own = dict(MONITOR_TYPES[monitor.type].options)
    if (option := own.pop("body_match", None)) is not None:
        own["keyword"] = option
    return own
