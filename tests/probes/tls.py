"""TLS servers with certificates that a test makes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """What a server presents `certificate` with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


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


@contextmanager
def starttls_server(context: ssl.SSLContext, lines: list[bytes]) -> Iterator[int]:
    """The port of a server that says the first of `lines`, and answers each line it gets with the next.

    Before the last of them it shakes hands.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rwb") as stream:
                for number, line in enumerate(lines[:-1]):
                    if number and not stream.readline():
                        return
                    stream.write(line + b"\r\n")
                    stream.flush()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1024)
                    secured.sendall(lines[-1] + b"\r\n")
                    secured.recv(1024)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(5)
