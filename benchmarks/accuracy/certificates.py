"""A certificate authority of the run, and what it signs."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.accuracy.targets import HOST

Builder = x509.CertificateBuilder
PEM = serialization.Encoding.PEM


class Authority:
    """Signs certificates for the targets' address; the regional workers trust it."""

    def __init__(self, folder: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = (
            self._begin("authority", timedelta(days=1))
            .public_key(self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(PEM))
        self.valid = self._issue(folder / "valid.pem", timedelta(days=1))
        self.expired = self._issue(folder / "expired.pem", timedelta(minutes=-1))

    def context(self) -> ssl.SSLContext:
        """A server's context with the valid certificate; loading another takes effect at once."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.valid)
        return context

    def _issue(self, file: Path, expires_in: timedelta) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
        signed = (
            self._begin(HOST, expires_in)
            .public_key(key.public_key())
            .add_extension(names, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(key.private_bytes(PEM, *plain) + signed.public_bytes(PEM))
        return file

    def _begin(self, subject: str, expires_in: timedelta) -> Builder:
        now = datetime.now(UTC)
        return (
            Builder()
            .subject_name(_name(subject))
            .issuer_name(_name("authority"))
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + expires_in)
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
