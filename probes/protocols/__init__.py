"""The protocols: one async function each, found by the type of its target."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from probes.curl import Curl
from probes.measurement import Measurement
from probes.messages import HttpTarget, SslTarget, TcpTarget
from probes.protocols.http import probe_http
from probes.protocols.ssl import probe_ssl
from probes.protocols.tcp import probe_tcp

Probe = Callable[[Any, int, Curl], Awaitable[Measurement]]
"""Measures a target within `timeout_ms`, DNS included. Trouble is a class, never an exception."""

PROBES: dict[type, Probe] = {
    HttpTarget: probe_http,
    TcpTarget: probe_tcp,
    SslTarget: probe_ssl,
}
