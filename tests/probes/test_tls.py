"""Certificates: trusted, untrusted, expired and for another host."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pycurl
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from probes.curl import Curl
from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.measurement import Measurement
from tests.probes.listeners import Listener


def certificate(folder: Path, address: str, valid_days: int) -> Path:
    """A self-signed certificate and its key, in one file; it began ten days ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "upquorum test")])
    begin = datetime.now(UTC) - timedelta(days=10)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=valid_days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(key.private_bytes(pem, *plain) + signed.public_bytes(pem))
    return file


def look(file: Path, policy: AddressPolicy, *, trusting: bool) -> Measurement:
    """One transfer from a server with that certificate, by a client that may trust it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def once(server: Listener) -> Measurement:
        trust = [(pycurl.CAINFO, str(file))] if trusting else []
        async with Curl(policy) as curl:
            return await curl.transfer(server.url, "127.0.0.1", server.port, 5000, trust)

    with Listener(context) as server:
        return uvloop.run(once(server))


def test_a_trusted_certificate_is_up_and_its_handshake_timed(tmp_path: Path, loopback: AddressPolicy) -> None:
    measured = look(certificate(tmp_path, "127.0.0.1", 20), loopback, trusting=True)
    assert (measured.error_class, measured.error, measured.status_code) == (None, "", 200)
    assert (measured.timings.tls_ms or 0) > 0


@pytest.mark.parametrize(
    ("address", "valid_days", "trusting", "error_class"),
    [
        ("127.0.0.1", 20, False, ErrorClass.CERT_INVALID),
        ("127.0.0.1", 5, True, ErrorClass.CERT_EXPIRED),
        ("127.0.0.2", 20, True, ErrorClass.CERT_INVALID),
    ],
)
def test_a_bad_certificate_has_its_class(
    tmp_path: Path,
    loopback: AddressPolicy,
    address: str,
    valid_days: int,
    trusting: bool,
    error_class: ErrorClass,
) -> None:
    measured = look(certificate(tmp_path, address, valid_days), loopback, trusting=trusting)
    assert measured.error_class == error_class
    assert measured.error


def test_a_server_without_tls(listener: Listener, loopback: AddressPolicy) -> None:
    async def once() -> Measurement:
        async with Curl(loopback) as curl:
            return await curl.transfer(f"https://127.0.0.1:{listener.port}", "127.0.0.1", listener.port, 5000)

    assert uvloop.run(once()).error_class == ErrorClass.TLS
