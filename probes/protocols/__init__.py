"""The protocols: one async function each, found by the type of its target."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from probes.curl import Curl
from probes.measurement import Measure, Measurement
from probes.messages import DnsTarget, HttpTarget, PingTarget, SslTarget, TcpTarget, UdpTarget
from probes.protocols.dns import probe_dns
from probes.protocols.http import begin_http, probe_http
from probes.protocols.ping import probe_ping
from probes.protocols.ssl import probe_ssl
from probes.protocols.tcp import probe_tcp
from probes.protocols.udp import probe_udp

Probe = Callable[[Any, int, Curl], Awaitable[Measurement]]
"""Measures a target within `timeout_ms`, DNS included. Trouble is a class, never an exception."""
Begin = Callable[[Any, int, Curl, Callable[[Measurement | Measure], object]], Callable[[], None] | None]
"""The same without a task, which costs as much as a plain exchange does; None: it takes one.

What was measured is told later, if all is well, or else how to go on. Returns what cancels it.
"""

PROBES: dict[type, Probe] = {
    HttpTarget: probe_http,
    TcpTarget: probe_tcp,
    SslTarget: probe_ssl,
    UdpTarget: probe_udp,
    PingTarget: probe_ping,
    DnsTarget: probe_dns,
}
AT_ONCE: dict[type, Begin] = {HttpTarget: begin_http}
