"""What an HTTP probe sends: method, headers, body, credentials, and over which version."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import trustme
from cryptography.fernet import Fernet

from probes.credentials import basic, seal_header, worker_vault
from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.measurement import Measurement
from probes.messages import HttpVersion, IpVersion, SealedHeader
from probes.vault import Vault
from tests.probes.asking import look
from tests.probes.listeners import Listener, Script, answer, response
from tests.probes.tls import server_context

KEY = Fernet.generate_key().decode()
H2_FRAMES = bytes.fromhex(
    "000000 04 00 00000000000000 04 01 00000000000001 01 05 00000001 88".replace(" ", "")
)
"""Empty SETTINGS, their acknowledgement, and HEADERS of stream 1 with `:status: 200` (RFC 9113, RFC 7541)."""


def answer_and_listen(data: bytes) -> Script:
    """A script that reads on after its answer, for to close on unread bytes is a reset."""

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    return script


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """A worker with encryption keys, and the vault that the core has."""
    worker_vault.cache_clear()
    monkeypatch.setenv("UPQUORUM_ENCRYPTION_KEYS", KEY)
    yield Vault([KEY])
    worker_vault.cache_clear()


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker without encryption keys."""
    worker_vault.cache_clear()
    monkeypatch.delenv("UPQUORUM_ENCRYPTION_KEYS", raising=False)
    monkeypatch.delenv("UPQUORUM_ENCRYPTION_KEYS_FILE", raising=False)


def test_method_headers_and_body_are_sent(listener: Listener, loopback: AddressPolicy) -> None:
    look(loopback, f"{listener.url}/a?b", method="PATCH", headers=(("X-Id", "7"),), body="{ü}")
    head, _, body = listener.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"PATCH /a?b HTTP/1.1\r\n")
    assert b"\r\nX-Id: 7" in head
    assert b"Content-Type" not in head
    assert body == "{ü}".encode()


@pytest.mark.parametrize(("method", "says_length"), [("POST", True), ("PUT", True), ("DELETE", False)])
def test_a_method_that_may_have_a_body_says_that_it_has_none(
    listener: Listener, loopback: AddressPolicy, method: str, says_length: bool
) -> None:
    look(loopback, listener.url, method=method)
    assert (b"Content-Length: 0\r\n" in listener.requests[0]) == says_length


def test_sealed_credentials_are_opened_where_they_are_sent(
    listener: Listener, loopback: AddressPolicy, keys: Vault
) -> None:
    auth = seal_header(keys, 5, "Authorization", basic("ana", "s3cret"))
    assert look(loopback, listener.url, auth=auth).error_class is None
    assert b"\r\nAuthorization: Basic YW5hOnMzY3JldA==\r\n" in listener.requests[0]


def test_keys_may_come_in_a_file(
    listener: Listener,
    loopback: AddressPolicy,
    keys: Vault,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: object,
) -> None:
    file = f"{tmp_path}/keys"
    with open(file, "w") as keys_file:
        keys_file.write(f"{KEY}\n")
    monkeypatch.delenv("UPQUORUM_ENCRYPTION_KEYS")
    monkeypatch.setenv("UPQUORUM_ENCRYPTION_KEYS_FILE", file)
    look(loopback, listener.url, auth=seal_header(keys, 5, "X-Api-Key", "k"))
    assert b"\r\nX-Api-Key: k\r\n" in listener.requests[0]


def test_credentials_of_another_account_are_our_own_error(
    listener: Listener, loopback: AddressPolicy, keys: Vault
) -> None:
    stolen = SealedHeader(name="X", token=seal_header(keys, 5, "X", "k").token, account_id=6)
    measured = look(loopback, listener.url, auth=stolen)
    assert measured.error_class == ErrorClass.INTERNAL
    assert measured.error == "http_auth: this token was sealed for another place"
    assert listener.count() == 0


@pytest.mark.usefixtures("no_keys")
def test_a_worker_without_keys_probes_what_has_no_secret(listener: Listener, loopback: AddressPolicy) -> None:
    assert look(loopback, listener.url).error_class is None
    measured = look(loopback, listener.url, auth=seal_header(Vault([KEY]), 5, "X", "k"))
    assert measured.error_class == ErrorClass.INTERNAL
    assert measured.error == "this worker has no UPQUORUM_ENCRYPTION_KEYS"


def test_http_2_may_be_asked_for(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer_and_listen(H2_FRAMES)
    measured = look(loopback, listener.url, http_version="2")
    assert (measured.error_class, measured.status_code) == (None, 200)
    assert listener.requests[0].startswith(b"PRI * HTTP/2.0\r\n")


def test_an_answer_of_another_version_is_no_answer(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer_and_listen(response())
    assert look(loopback, listener.url, http_version="2").error_class == ErrorClass.PROTOCOL


def look_over_tls(
    authority: trustme.CA, alpn: list[str], script: Script, policy: AddressPolicy
) -> Measurement:
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.set_alpn_protocols(alpn)
    with Listener(context) as server:
        server.script = script
        return look(policy, server.url, http_version="2")


def test_http_2_over_tls_is_what_alpn_chose(authority: trustme.CA, loopback: AddressPolicy) -> None:
    measured = look_over_tls(authority, ["h2", "http/1.1"], answer_and_listen(H2_FRAMES), loopback)
    assert (measured.error_class, measured.status_code) == (None, 200)


@pytest.mark.parametrize("alpn", [[], ["http/1.1"]])
def test_a_tls_server_of_1_1_only_is_told_at_once(
    authority: trustme.CA, loopback: AddressPolicy, alpn: list[str]
) -> None:
    """Not as a reset, and not by a timeout."""
    measured = look_over_tls(authority, alpn, answer(response()), loopback)
    assert (measured.error_class, measured.error) == (ErrorClass.PROTOCOL, "the server does not speak HTTP/2")


def test_http_1_1_is_what_a_plain_server_gets(listener: Listener, loopback: AddressPolicy) -> None:
    versions: tuple[HttpVersion | None, ...] = (None, "1.1")
    for version in versions:
        assert look(loopback, listener.url, http_version=version).error_class is None
    assert all(request.startswith(b"GET / HTTP/1.1\r\n") for request in listener.requests)


@pytest.mark.parametrize("is_permitted", [True, False])
def test_http_3_speaks_quic_and_only_to_permitted_addresses(
    loopback: AddressPolicy, is_permitted: bool
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        measured = look(loopback if is_permitted else AddressPolicy(), url, timeout_ms=300, http_version="3")
        if is_permitted:
            assert server.recv(2048)[0] & 0xC0 == 0xC0  # a long header (RFC 9000 section 17.2)
            assert measured.error_class == ErrorClass.CONNECT_TIMEOUT
        else:
            assert measured.error_class == ErrorClass.BLOCKED
            with pytest.raises(BlockingIOError):
                server.recv(2048)


@pytest.mark.parametrize(("ip_version", "address"), [(4, "127.0.0.1"), (6, "")])
def test_only_addresses_of_the_version_asked_for(
    listener: Listener, loopback: AddressPolicy, ip_version: IpVersion, address: str
) -> None:
    measured = look(loopback, listener.url, ip_version=ip_version)
    assert measured.address == address
    if not address:
        assert (measured.error_class, measured.error) == (ErrorClass.DNS, "the host has no IPv6 address")
