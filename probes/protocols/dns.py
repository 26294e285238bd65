"""DNS: a name server has a record of the name and, if asked for, with a value."""

from __future__ import annotations

from functools import cache

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rdtypes.txtbase
import dns.resolver
from dns.flags import TC
from dns.message import Message
from dns.rdata import Rdata

from probes.curl import Curl
from probes.errors import ErrorClass, Fault
from probes.exchange import Peer, dial, exchange, receive
from probes.guard import ANYWHERE, AddressPolicy
from probes.measurement import Measurement
from probes.messages import DnsTarget
from probes.url import parse_address, parse_host

PORT = 53
MAX_SHOWN_CHARS = 150
RCODES = {
    dns.rcode.NXDOMAIN: ErrorClass.DNS_NXDOMAIN,
    dns.rcode.SERVFAIL: ErrorClass.DNS_SERVFAIL,
}


async def probe_dns(target: DnsTarget, timeout_ms: int, curl: Curl) -> Measurement:
    """Asks the given name server, or the region's own, once; again over TCP if it says so (RFC 7766)."""
    query = dns.message.make_query(parse_host(target.name), target.record_type)
    peer = _given(target.resolver, curl.policy) if target.resolver else _own()

    async def talk(address: str) -> Fault | None:
        try:
            answer = await _ask(query, address, peer.port)
        except (dns.exception.DNSException, EOFError):
            return Fault(ErrorClass.PROTOCOL, "the answer is not a DNS message")
        return _judge(answer, target)

    return await exchange(peer, curl.resolver, timeout_ms, talk)


def _given(resolver: str, policy: AddressPolicy) -> Peer:
    host, port = parse_address(resolver, "dns", default_port=PORT)
    return Peer(host, port, policy)


@cache
def _own() -> Peer:
    system = dns.resolver.Resolver()
    return Peer(str(system.nameservers[0]), system.port, ANYWHERE)  # its operator chose it


async def _ask(query: Message, address: str, port: int) -> Message:
    """The answer to `query`: other datagrams are not taken for it (RFC 5452 section 9)."""

    def take(datagram: bytes) -> Message | None:
        message = dns.message.from_wire(datagram, ignore_trailing=True)
        return message if query.is_response(message) else None

    with dial(address, port) as connected:
        connected.send(query.to_wire())
        answer = await receive(connected, take)
    return await dns.asyncquery.tcp(query, address, port=port) if answer.flags & TC else answer


def _judge(answer: Message, target: DnsTarget) -> Fault | None:
    if (code := answer.rcode()) != dns.rcode.NOERROR:
        return Fault(
            RCODES.get(code, ErrorClass.DNS_REFUSED), f"the name server says {dns.rcode.to_text(code)}"
        )
    kind = dns.rdatatype.from_text(target.record_type)
    values = [_text(record) for records in answer.answer if records.rdtype == kind for record in records]
    if not values:
        return Fault(ErrorClass.DNS_EMPTY, f"the name has no {target.record_type} record")
    expected = (target.expected_value or "").lower()
    if any(expected in value.lower() for value in values):
        return None
    shown = ", ".join(sorted(values))[:MAX_SHOWN_CHARS]
    return Fault(ErrorClass.DNS_MISMATCH, f"the expected value is in none of the records: {shown}")


def _text(record: Rdata) -> str:
    """The value as people write it; the strings of a TXT record are one text (RFC 7208 section 3.3)."""
    if isinstance(record, dns.rdtypes.txtbase.TXTBase):
        return b"".join(record.strings).decode("utf-8", "replace")
    return record.to_text()
