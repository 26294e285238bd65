"""The TCP probe, against a real port."""

from __future__ import annotations

from typing import Any

import pytest
import trustme

from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.measurement import Measurement
from probes.messages import TcpTarget
from tests.probes.asking import look_at
from tests.probes.listeners import Listener
from tests.probes.tls import server_context
from tests.timing import keeps


def look(policy: AddressPolicy, host: str, port: int, timeout_ms: int = 5000, **target: Any) -> Measurement:
    return look_at(TcpTarget(host=host, port=port, **target), policy, timeout_ms)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "::ffff:127.0.0.1"])
def test_an_open_port_is_up_and_nothing_is_sent(
    listener: Listener, loopback: AddressPolicy, host: str
) -> None:
    measured = look(loopback, host, listener.port)
    assert (measured.error_class, measured.error, measured.status_code) == (None, "", None)
    assert measured.address.endswith("127.0.0.1")
    assert measured.timings.dns_ms is not None
    assert measured.timings.connect_ms is not None
    assert measured.timings.ttfb_ms is None
    assert (listener.count(), listener.requests) == (1, [])


def test_a_closed_port_is_refused(loopback: AddressPolicy, closed_port: int) -> None:
    assert look(loopback, "127.0.0.1", closed_port).error_class == ErrorClass.REFUSED


def test_a_refused_address_is_no_vote(listener: Listener) -> None:
    measured = look(AddressPolicy(), "127.0.0.1", listener.port)
    assert measured.error_class == ErrorClass.BLOCKED
    assert listener.count() == 0


def test_a_full_backlog_meets_the_deadline(loopback: AddressPolicy, full_port: int) -> None:
    measured = look(loopback, "127.0.0.1", full_port, timeout_ms=150)
    assert measured.error_class == ErrorClass.CONNECT_TIMEOUT
    assert keeps(150, measured.timings.total_ms)


def test_a_name_that_does_not_resolve_is_down(loopback: AddressPolicy) -> None:
    assert look(loopback, f"{'a' * 64}.example", 80).error_class == ErrorClass.DNS


def test_tls_on_the_port_is_up_once_the_handshake_is_done(
    loopback: AddressPolicy, authority: trustme.CA
) -> None:
    with Listener(server_context(authority.issue_cert("127.0.0.1"))) as server:
        measured = look(loopback, "127.0.0.1", server.port, tls=True)
    assert (measured.error_class, measured.error) == (None, "")
    assert (measured.timings.tls_ms or 0) > 0


def test_tls_that_is_not_there_or_not_trusted(
    listener: Listener, loopback: AddressPolicy, authority: trustme.CA
) -> None:
    assert look(loopback, "127.0.0.1", listener.port, tls=True).error_class == ErrorClass.TLS
    with Listener(server_context(authority.issue_cert("other.example"))) as server:
        assert look(loopback, "127.0.0.1", server.port, tls=True).error_class == ErrorClass.CERT_INVALID


def test_tls_that_never_finishes_meets_the_deadline(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = listener.hang
    measured = look(loopback, "127.0.0.1", listener.port, timeout_ms=150, tls=True)
    assert measured.error_class == ErrorClass.TIMEOUT
    assert keeps(150, measured.timings.total_ms)
