"""TCP: the port accepts a connection and, if asked for, the TLS handshake on it succeeds."""

from __future__ import annotations

import pycurl

from probes.curl import Curl
from probes.measurement import Measurement
from probes.messages import TcpTarget
from probes.url import bracketed, parse_host


async def probe_tcp(target: TcpTarget, timeout_ms: int, curl: Curl) -> Measurement:
    """Connects and closes; nothing is sent. Addresses race as in RFC 8305 (Happy Eyeballs).

    libcurl does it with CONNECT_ONLY, so that guard, deadline and error classes are those of HTTP.
    """
    host = parse_host(target.host)
    url = f"{'https' if target.tls else 'http'}://{bracketed(host)}:{target.port}"
    options = [(pycurl.CONNECT_ONLY, 1), (pycurl.SSL_ENABLE_ALPN, 0)]
    return await curl.transfer(url, host, target.port, timeout_ms, options, target.ip_version)
