"""The SSL probe: what it says of certificates that are good, bad, or about to end."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.instants import from_unix_ms
from probes.measurement import Measurement
from probes.messages import SslTarget, StartTls
from tests.probes.asking import look_at
from tests.probes.listeners import Listener
from tests.probes.tls import certificate, server_context, starttls_server

NOW = datetime.now(UTC).replace(microsecond=0)
GREETINGS: dict[StartTls, list[bytes]] = {
    "smtp": [b"220 mx ESMTP", b"250-mx\r\n250 STARTTLS", b"220 go ahead", b"250 mx"],
    "imap": [b"* OK ready", b"* CAPABILITY IMAP4rev1 STARTTLS\r\nA001 OK", b"A002 OK begin", b"A003 OK"],
    "pop3": [b"+OK ready", b"+OK\r\nSTLS\r\n.", b"+OK begin", b"+OK\r\n."],
}


def issued(
    authority: trustme.CA, name: str = "127.0.0.1", *, begin: int = -10, end: int = 30
) -> trustme.LeafCert:
    """A certificate that is valid from `begin` to `end`, in days from now."""
    begins, ends = NOW + timedelta(days=begin), NOW + timedelta(days=end)
    return authority.issue_cert(name, not_before=begins, not_after=ends)


def look(context: ssl.SSLContext, policy: AddressPolicy, **target: Any) -> Measurement:
    with Listener(context) as server:
        return look_at(SslTarget(host="127.0.0.1", port=server.port, **target), policy)


def test_a_good_certificate_is_up_and_reported(loopback: AddressPolicy, authority: trustme.CA) -> None:
    measured = look(server_context(issued(authority)), loopback)
    assert (measured.error_class, measured.error) == (None, "")
    assert measured.certificate
    assert "Testing CA" in measured.certificate.issuer
    assert from_unix_ms(measured.certificate.expires_at_ms) == NOW + timedelta(days=30)
    assert (measured.timings.tls_ms or 0) > 0


@pytest.mark.parametrize(
    ("name", "begin", "end", "error_class", "text"),
    [
        ("127.0.0.1", -9, -1, ErrorClass.CERT_EXPIRED, "has expired"),
        ("127.0.0.1", 1, 9, ErrorClass.CERT_INVALID, "not yet valid"),
        ("127.0.0.2", -9, 9, ErrorClass.CERT_INVALID, "no alternative certificate subject name matches"),
        ("example.com", -9, 9, ErrorClass.CERT_INVALID, "no alternative certificate subject name matches"),
    ],
)
def test_a_bad_certificate_says_what_is_bad_and_is_reported(
    loopback: AddressPolicy,
    authority: trustme.CA,
    name: str,
    begin: int,
    end: int,
    error_class: ErrorClass,
    text: str,
) -> None:
    measured = look(server_context(issued(authority, name, begin=begin, end=end)), loopback, warn_days=60)
    assert measured.error_class == error_class
    assert text in measured.error
    assert measured.certificate
    assert from_unix_ms(measured.certificate.expires_at_ms) == NOW + timedelta(days=end)


@pytest.mark.usefixtures("authority")
def test_a_stranger_is_not_trusted(loopback: AddressPolicy) -> None:
    measured = look(server_context(issued(trustme.CA())), loopback)
    assert measured.error_class == ErrorClass.CERT_INVALID
    assert "unable to get local issuer certificate" in measured.error


@pytest.mark.usefixtures("authority")
def test_a_certificate_that_signed_itself_is_told_apart(loopback: AddressPolicy, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path, "127.0.0.1", 20))
    measured = look(context, loopback)
    assert measured.error_class == ErrorClass.CERT_INVALID
    assert "self-signed certificate" in measured.error


@pytest.mark.parametrize(
    ("warn_days", "error_class"), [(31, ErrorClass.CERT_EXPIRING), (29, None), (None, None)]
)
def test_one_that_ends_soon_is_up_and_marked(
    loopback: AddressPolicy, authority: trustme.CA, warn_days: int | None, error_class: ErrorClass | None
) -> None:
    measured = look(server_context(issued(authority)), loopback, warn_days=warn_days)
    assert measured.error_class == error_class
    assert ErrorClass.CERT_EXPIRING.outcome == "up"
    if error_class:
        day = (NOW + timedelta(days=30)).strftime("%Y-%m-%d")
        assert measured.error == f"it is valid until {day}, and less than 31 days"


def test_the_earliest_of_the_chain_counts(
    loopback: AddressPolicy, authority: trustme.CA, tmp_path: Path
) -> None:
    leaf, other = issued(authority, end=90), issued(authority, "other.example", end=5)
    chain = [leaf.private_key_pem, *leaf.cert_chain_pems, *other.cert_chain_pems]
    (tmp_path / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem")
    measured = look(context, loopback, warn_days=30)
    assert measured.error_class == ErrorClass.CERT_EXPIRING
    assert measured.error.startswith("one of its chain is valid until")
    assert measured.certificate
    assert from_unix_ms(measured.certificate.expires_at_ms) == NOW + timedelta(days=90)
    assert from_unix_ms(measured.certificate.chain_expires_at_ms) == NOW + timedelta(days=5)


def test_the_name_is_sent_as_sni(loopback: AddressPolicy, authority: trustme.CA) -> None:
    context, names = server_context(issued(authority, "localhost")), list[str | None]()
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with Listener(context) as server:
        measured = look_at(SslTarget(host="localhost", port=server.port), loopback)
    assert (measured.error_class, names) == (None, ["localhost"])


@pytest.mark.parametrize("protocol", GREETINGS)
def test_starttls(loopback: AddressPolicy, authority: trustme.CA, protocol: StartTls) -> None:
    with starttls_server(server_context(issued(authority)), GREETINGS[protocol]) as port:
        target = SslTarget(host="127.0.0.1", port=port, starttls=protocol, warn_days=60)
        measured = look_at(target, loopback)
    assert (measured.error_class, measured.certificate is not None) == (ErrorClass.CERT_EXPIRING, True)


def test_a_server_without_starttls(loopback: AddressPolicy, authority: trustme.CA) -> None:
    with starttls_server(
        server_context(issued(authority)), [b"220 mx", b"250 mx", b"502 what?", b""]
    ) as port:
        measured = look_at(SslTarget(host="127.0.0.1", port=port, starttls="smtp"), loopback)
    assert measured.error_class == ErrorClass.TLS


def test_a_server_without_tls(listener: Listener, loopback: AddressPolicy) -> None:
    measured = look_at(SslTarget(host="127.0.0.1", port=listener.port), loopback)
    assert (measured.error_class, measured.certificate) == (ErrorClass.TLS, None)


def test_a_refused_address_is_never_spoken_to(listener: Listener) -> None:
    for starttls in (None, *GREETINGS):
        target = SslTarget(host="127.0.0.1", port=listener.port, starttls=starttls)
        assert look_at(target, AddressPolicy()).error_class == ErrorClass.BLOCKED
    assert listener.count() == 0
