"""SSL: the certificate is trusted, for this host, valid, and will be for a while."""

from __future__ import annotations

import ssl
from datetime import timedelta

import pycurl
from msgspec.structs import replace

from probes.clock import now_ms
from probes.curl import Curl
from probes.errors import ErrorClass
from probes.instants import from_unix_ms
from probes.measurement import Measurement
from probes.messages import Certificate, SslTarget, StartTls
from probes.url import bracketed, parse_host

MAX_ISSUER_CHARS = 200
PROTOCOLS: dict[StartTls, int] = {
    "smtp": pycurl.PROTO_SMTP,
    "imap": pycurl.PROTO_IMAP,
    "pop3": pycurl.PROTO_POP3,
}


async def probe_ssl(target: SslTarget, timeout_ms: int, curl: Curl) -> Measurement:
    """Shakes hands with SNI and closes. OpenSSL judges the chain; what was presented is kept either way."""
    host, presented = parse_host(target.host), list[Certificate]()

    def inspect(handle: pycurl.Curl) -> None:
        presented.extend(_certificate(handle))

    url = f"{target.starttls or 'https'}://{bracketed(host)}:{target.port}"
    measured = await curl.transfer(
        url, host, target.port, timeout_ms, _options(target), target.ip_version, inspect
    )
    if not presented:
        return measured
    measured = replace(measured, certificate=presented[0])
    return measured if measured.error_class else _warned(measured, presented[0], target.warn_days)


def _options(target: SslTarget) -> list[tuple[int, int]]:
    options = [(pycurl.CONNECT_ONLY, 1), (pycurl.SSL_ENABLE_ALPN, 0), (pycurl.OPT_CERTINFO, 1)]
    if target.starttls:
        options += [(pycurl.PROTOCOLS, PROTOCOLS[target.starttls]), (pycurl.USE_SSL, pycurl.USESSL_ALL)]
    return options


def _certificate(handle: pycurl.Curl) -> list[Certificate]:
    """What libcurl says of the chain, the leaf first; empty where no handshake came that far."""
    chain = [dict(fields) for fields in handle.getinfo(pycurl.INFO_CERTINFO)]
    if not chain:
        return []
    expiries_ms = [int(ssl.cert_time_to_seconds(fields["Expire date"])) * 1000 for fields in chain]
    return [
        Certificate(
            issuer=chain[0]["Issuer"][:MAX_ISSUER_CHARS],
            expires_at_ms=expiries_ms[0],
            chain_expires_at_ms=min(expiries_ms),
        )
    ]


def _warned(measured: Measurement, certificate: Certificate, warn_days: int | None) -> Measurement:
    end = from_unix_ms(certificate.chain_expires_at_ms)
    if warn_days is None or end - from_unix_ms(now_ms()) >= timedelta(days=warn_days):
        return measured
    whose = "it" if certificate.expires_at_ms == certificate.chain_expires_at_ms else "one of its chain"
    error = f"{whose} is valid until {end:%Y-%m-%d}, and less than {warn_days} days"
    return replace(measured, error_class=ErrorClass.CERT_EXPIRING, error=error)
