"""No spelling, redirect or name leads a probe or a webhook to an address that is forbidden.

A canary listens on every address of this machine, over TCP and UDP, and counts at the socket.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable, Iterator
from itertools import count, cycle

import dns.message
import dns.query
import pytest
import uvloop

from probes import resolver
from probes.curl import Curl
from probes.errors import ErrorClass
from probes.fetch import FetchRequest, fetch
from probes.guard import AddressPolicy
from probes.messages import DnsTarget, HttpTarget, PingTarget, SslTarget, Target, TcpTarget, UdpTarget
from probes.protocols import PROBES
from probes.url import parse_http_url
from tests.probes.listeners import Listener, response
from tests.probes.nameserver import NameServer, answer
from tests.probes.spellings import hosts, urls

PUBLIC = AddressPolicy()
OPEN = "127.0.0.2"
"""Where the servers of these tests are that may be reached; the canary is everywhere else."""
ONLY_OPEN = AddressPolicy.of([f"{OPEN}/32"])
REFUSALS = {ErrorClass.BLOCKED, ErrorClass.DNS}
"""Decided before anything was sent; any other class would tell of an attempt."""


class Canary:
    """Listens on all addresses; `touched` says whether anything came."""

    def __init__(self) -> None:
        self._tcp = [socket.create_server(("", 0), backlog=1024)]
        self.port = int(self._tcp[0].getsockname()[1])
        self._tcp.append(socket.create_server(("::", self.port), family=socket.AF_INET6, backlog=1024))
        self._udp = [socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6)]
        self._udp[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for bound, host in zip(self._udp, ("", "::"), strict=True):
            bound.bind((host, self.port))

    def touched(self) -> bool:
        """What connects over loopback is in the backlog before its connect returns, so no wait is needed."""
        return bool(select.select([*self._tcp, *self._udp], [], [], 0)[0])

    def close(self) -> None:
        for bound in (*self._tcp, *self._udp):
            bound.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    listening = Canary()
    yield listening
    listening.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """A name server that all lookups of this test go to."""
    with NameServer() as server:

        def resolve(host: str, port: int) -> list[str]:
            query = dns.message.make_query(host, "A")
            found = dns.query.udp(query, "127.0.0.1", port=server.port, timeout=5)
            return [
                str(record) for records in found.answer if records.rdtype in (1, 28) for record in records
            ]

        monkeypatch.setattr(resolver, "resolve", resolve)
        yield server


async def came_to(curl: Curl, target: Target | str) -> ErrorClass | None:
    """The end of a probe or, of a URL, of a webhook's delivery. What cannot be written down is blocked."""
    try:
        if not isinstance(target, str):
            return (await PROBES[type(target)](target, 2000, curl)).error_class
        url = parse_http_url(target)
        request = FetchRequest(url=url, timeout_ms=2000, max_body_bytes=9, method="POST", body=b"{}")
        return (await fetch(curl, request)).error_class
    except ValueError:
        return ErrorClass.BLOCKED


def reached(targets: Iterable[Target | str], policy: AddressPolicy = PUBLIC) -> list[Target | str]:
    """Those of `targets`, and of URLs for webhooks, that were not refused."""

    async def each() -> list[Target | str]:
        async with Curl(policy) as curl:
            return [target for target in targets if await came_to(curl, target) not in REFUSALS]

    return uvloop.run(each())


def test_the_canary_notices(canary: Canary) -> None:
    policy = AddressPolicy.of(["127.0.0.0/8", "::1/128"])
    assert reached([TcpTarget(host="127.0.0.1", port=canary.port)], policy)
    assert canary.touched()


def test_the_corpus_is_large() -> None:
    assert len(set(urls(1))) >= 500


def test_no_spelling_reaches_the_canary_by_a_probe(canary: Canary) -> None:
    assert reached(HttpTarget(url=url) for url in urls(canary.port)) == []
    assert not canary.touched()


def test_no_spelling_reaches_the_canary_by_a_webhook(canary: Canary) -> None:
    assert reached(urls(canary.port)) == []
    assert not canary.touched()


def test_no_host_reaches_the_canary_by_another_protocol(canary: Canary) -> None:
    port = canary.port
    for host in (spelled.strip("[]") for spelled in hosts()):
        bracketed = f"[{host}]" if ":" in host else host
        targets: list[Target] = [
            TcpTarget(host=host, port=port),
            TcpTarget(host=host, port=port, tls=True),
            SslTarget(host=host, port=port),
            SslTarget(host=host, port=port, starttls="smtp"),
            UdpTarget(host=host, port=port, payload="x"),
            PingTarget(host=host),
            DnsTarget(name="example.com", resolver=f"{bracketed}:{port}"),
            HttpTarget(url=f"https://{bracketed}:{port}", http_version="3"),
        ]
        assert reached(targets) == []
    assert not canary.touched()


def test_no_redirect_reaches_the_canary(canary: Canary) -> None:
    with Listener(host=OPEN) as redirector:
        places = list(urls(canary.port))
        statuses = cycle((301, 302, 303, 307, 308))
        answers = {f"/{number}": (next(statuses), place) for number, place in enumerate(places)}

        def redirect(connection: socket.socket, request: bytes) -> None:
            status, place = answers.get(request.split()[1].decode(), (404, ""))  # some are relative
            connection.sendall(response(status, b"", f"Location: {place}"))

        redirector.script = redirect
        targets = [HttpTarget(url=f"{redirector.url}/{number}") for number in range(len(places))]

        async def each() -> set[ErrorClass | None]:
            async with Curl(ONLY_OPEN) as curl:
                return {await came_to(curl, target) for target in targets}

        classes = uvloop.run(each())
        assert redirector.count() >= len(places)
    assert classes <= REFUSALS | {ErrorClass.REDIRECT, ErrorClass.HTTP_4XX, ErrorClass.RESET}
    assert not canary.touched()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "localhost"])
def test_each_kind_of_redirect_is_blocked(canary: Canary, status: int, place: str) -> None:
    with Listener(host=OPEN) as redirector:
        redirector.script = lambda connection, _: connection.sendall(
            response(status, b"", f"Location: http://{place}:{canary.port}/")
        )
        assert reached([HttpTarget(url=redirector.url)], ONLY_OPEN) == []
    assert not canary.touched()


def test_a_name_that_changes_its_mind_leads_nowhere(names: NameServer) -> None:
    """Good when it is asked first, forbidden when it is asked next: each look asks once and goes there."""
    turn = count()
    names.script = lambda query, is_tcp: answer(
        f"rebind.example. 0 IN A {'127.0.0.1' if next(turn) % 2 else OPEN}"
    )(query, is_tcp)
    with Listener(host=OPEN) as good, socket.create_server(("127.0.0.1", good.port)) as forbidden:
        url = f"http://rebind.example:{good.port}/"
        probe = HttpTarget(url=url)
        port: Target = TcpTarget(host="rebind.example", port=good.port)
        targets: list[Target | str] = [url, probe, probe, url, port, url] * 5
        assert len(reached(targets, ONLY_OPEN)) == len(targets) / 2
        assert good.count() == len(targets) / 2
        assert not select.select([forbidden], [], [], 0)[0]
    assert len(names.queries) == len(targets)


def test_a_name_that_changes_its_mind_between_hops(canary: Canary, names: NameServer) -> None:
    with Listener(host=OPEN) as redirector:
        turn = count()
        names.script = lambda query, is_tcp: answer(
            f"rebind.example. 0 IN A {'127.0.0.1' if next(turn) % 2 else OPEN}"
        )(query, is_tcp)
        redirector.script = lambda connection, _: connection.sendall(
            response(302, b"", f"Location: http://rebind.example:{canary.port}/")
        )
        targets = [HttpTarget(url=f"http://rebind.example:{redirector.port}/")] * 10
        assert reached(targets, ONLY_OPEN) == []
        assert redirector.count() == 10
    assert not canary.touched()


@pytest.mark.parametrize("inner", ["A 127.0.0.1", "A 169.254.169.254", "AAAA ::1", "AAAA ::ffff:127.0.0.1"])
def test_a_chain_of_names_is_judged_by_its_end(canary: Canary, names: NameServer, inner: str) -> None:
    names.script = answer(
        "www.example. 60 IN CNAME cdn.example.",
        "cdn.example. 60 IN CNAME internal.example.",
        f"internal.example. 60 IN {inner}",
    )
    url = f"http://www.example:{canary.port}/"
    assert reached([url, HttpTarget(url=url), UdpTarget(host="www.example", port=canary.port)]) == []
    assert not canary.touched()


def test_a_forbidden_address_among_good_ones_is_left_out(names: NameServer) -> None:
    """The good one refuses, so that happy eyeballs would go on to the next."""
    names.script = answer(f"mixed.example. 60 IN A {OPEN}", "mixed.example. 60 IN A 127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as forbidden:
        port = forbidden.getsockname()[1]
        reached([f"http://mixed.example:{port}/", TcpTarget(host="mixed.example", port=port)], ONLY_OPEN)
        assert not select.select([forbidden], [], [], 0)[0]
