"""The DNS probe, against a real name server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import dns.rcode
import dns.resolver
import pytest

from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.measurement import Measurement
from probes.messages import DnsTarget, RecordType
from probes.protocols import dns as dns_probe
from tests.probes.asking import look_at
from tests.probes.nameserver import NameServer, answer, truncated
from tests.timing import keeps

RECORDS: dict[RecordType, tuple[str, str]] = {
    "A": ("93.184.216.34", "184.216"),
    "AAAA": ("2606:4700::1111", "2606:4700::1111"),
    "MX": ("10 mail.example.com.", "MAIL.example.com"),
    "TXT": ('"v=spf1 include:" "x.example -all"', "include:x.example"),
    "CNAME": ("other.example.com.", "other"),
    "NS": ("ns1.example.com.", "ns1"),
    "SOA": ("ns1.example.com. root.example.com. 2026112101 3600 600 86400 60", "2026112101"),
    "SRV": ("1 2 5060 sip.example.com.", "5060 sip"),
    "CAA": ('0 issue "ca.example"', "ca.example"),
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer() as running:
        yield running


def look(server: NameServer, policy: AddressPolicy, timeout_ms: int = 5000, **target: Any) -> Measurement:
    target = {"name": "example.com", "resolver": server.resolver, **target}
    return look_at(DnsTarget(**target), policy, timeout_ms)


@pytest.mark.parametrize("record_type", RECORDS)
def test_a_record_of_each_type_is_up_and_its_value_compared(
    server: NameServer, loopback: AddressPolicy, record_type: RecordType
) -> None:
    value, part = RECORDS[record_type]
    server.script = answer(f"example.com. 60 IN {record_type} {value}")
    measured = look(server, loopback, record_type=record_type)
    assert (measured.error_class, measured.error, measured.address) == (None, "", "127.0.0.1")
    assert look(server, loopback, record_type=record_type, expected_value=part).error_class is None
    measured = look(server, loopback, record_type=record_type, expected_value="nothing like it")
    assert measured.error_class == ErrorClass.DNS_MISMATCH
    assert part.lower() in measured.error.lower()


@pytest.mark.parametrize(
    ("rcode", "error_class"),
    [
        (dns.rcode.NXDOMAIN, ErrorClass.DNS_NXDOMAIN),
        (dns.rcode.SERVFAIL, ErrorClass.DNS_SERVFAIL),
        (dns.rcode.REFUSED, ErrorClass.DNS_REFUSED),
        (dns.rcode.NOTIMP, ErrorClass.DNS_REFUSED),
        (dns.rcode.NOERROR, ErrorClass.DNS_EMPTY),
    ],
)
def test_failures_are_told_apart(
    server: NameServer, loopback: AddressPolicy, rcode: dns.rcode.Rcode, error_class: ErrorClass
) -> None:
    server.script = answer(rcode=rcode)
    measured = look(server, loopback)
    assert measured.error_class == error_class
    assert measured.error
    assert len(server.queries) == 1, "there are no retries"


def test_the_record_at_the_end_of_a_chain_counts(server: NameServer, loopback: AddressPolicy) -> None:
    server.script = answer("example.com. 60 IN CNAME a.example.", "a.example. 60 IN A 192.0.2.7")
    assert look(server, loopback, expected_value="192.0.2.7").error_class is None
    assert look(server, loopback, expected_value="a.example").error_class == ErrorClass.DNS_MISMATCH
    assert look(server, loopback, record_type="CNAME").error_class is None


def test_one_of_several_records_suffices(server: NameServer, loopback: AddressPolicy) -> None:
    server.script = answer("example.com. 60 IN A 192.0.2.1", "example.com. 60 IN A 192.0.2.2")
    assert look(server, loopback, expected_value="192.0.2.2").error_class is None


def test_silence_meets_the_deadline(server: NameServer, loopback: AddressPolicy) -> None:
    server.script = lambda _query, _is_tcp: None
    measured = look(server, loopback, timeout_ms=150)
    assert measured.error_class == ErrorClass.TIMEOUT
    assert keeps(150, measured.timings.total_ms)


def test_where_nothing_listens_the_question_is_refused(server: NameServer, loopback: AddressPolicy) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        free = f"127.0.0.1:{other.getsockname()[1]}"
    assert look(server, loopback, resolver=free).error_class == ErrorClass.REFUSED


def test_an_answer_to_another_question_is_not_taken(server: NameServer, loopback: AddressPolicy) -> None:
    def forged(query: Any, is_tcp: bool) -> bytes:
        wire = bytearray(answer("example.com. 60 IN A 192.0.2.1")(query, is_tcp) or b"")
        wire[0] ^= 0xFF  # the ID
        return bytes(wire)

    server.script = forged
    assert look(server, loopback, timeout_ms=150).error_class == ErrorClass.TIMEOUT


def test_what_is_not_dns_is_a_protocol_error(server: NameServer, loopback: AddressPolicy) -> None:
    server.script = lambda _query, _is_tcp: b"what?"
    assert look(server, loopback).error_class == ErrorClass.PROTOCOL


def test_a_long_answer_comes_over_tcp(server: NameServer, loopback: AddressPolicy) -> None:
    records = [f"example.com. 60 IN A 192.0.2.{number}" for number in range(200)]
    server.script = truncated(answer(*records))
    assert look(server, loopback, expected_value="192.0.2.199").error_class is None
    server.script = truncated(lambda _query, _is_tcp: b"")
    assert look(server, loopback).error_class == ErrorClass.PROTOCOL


def test_the_guard_stands_before_a_given_name_server(server: NameServer) -> None:
    measured = look(server, AddressPolicy())
    assert (measured.error_class, measured.address) == (ErrorClass.BLOCKED, "127.0.0.1")
    assert server.queries == []


def test_the_regions_own_name_server_needs_no_permission(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = dns.resolver.Resolver(configure=False)
    system.nameservers, system.port = ["127.0.0.1"], server.port
    monkeypatch.setattr(dns.resolver, "Resolver", lambda: system)
    dns_probe._own.cache_clear()
    server.script = answer("example.com. 60 IN A 192.0.2.1")
    measured = look_at(DnsTarget(name="example.com"), AddressPolicy())
    dns_probe._own.cache_clear()
    assert (measured.error_class, measured.address) == (None, "127.0.0.1")


def test_a_name_server_may_be_given_by_name(server: NameServer, loopback: AddressPolicy) -> None:
    server.script = answer("example.com. 60 IN A 192.0.2.1")
    assert look(server, loopback, resolver=f"localhost:{server.port}").error_class is None
    assert look(server, loopback, resolver=f"{'a' * 64}.example").error_class == ErrorClass.DNS
