"""Certificates: trusted, untrusted, expired and for another host."""

from __future__ import annotations

import ssl
from pathlib import Path

import pycurl
import pytest
import trustme
import uvloop

from probes.curl import Curl
from probes.env import BadSetting
from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.measurement import Measurement
from tests.probes.listeners import Listener
from tests.probes.tls import certificate


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


def test_the_operators_authorities_are_trusted_and_no_others(
    tmp_path: Path, loopback: AddressPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, other = certificate(tmp_path, "127.0.0.1", 20), trustme.CA()
    monkeypatch.setenv("UPQUORUM_CA_FILE", str(ours))
    assert look(ours, loopback, trusting=False).error_class is None
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("UPQUORUM_CA_FILE", str(tmp_path / "other.pem"))
    assert look(ours, loopback, trusting=False).error_class == ErrorClass.CERT_INVALID


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_without_authorities_is_refused(
    tmp_path: Path, content: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv("UPQUORUM_CA_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(BadSetting, match=r"UPQUORUM_CA_FILE: .*ca\.pem cannot be read"):
        Curl(AddressPolicy())
