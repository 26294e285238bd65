"""The servers that the cases look at, all on 127.0.0.1."""

from __future__ import annotations

import gzip
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.rcode
import trustme
from dns.message import Message

from tests.probes.listeners import Listener, response
from tests.probes.nameserver import NameServer, answer, truncated
from tests.probes.tls import certificate, server_context

RECORDS = {
    "A": "93.184.216.34",
    "AAAA": "2606:4700::1111",
    "MX": "10 mail.example.",
    "TXT": '"v=spf1 -all"',
    "CNAME": "other.example.",
    "NS": "ns1.example.",
    "SOA": "ns1.example. root.example. 1 3600 600 86400 60",
    "SRV": "1 2 5060 sip.example.",
    "CAA": '0 issue "ca.example"',
}
RCODES = {
    "nxdomain": dns.rcode.NXDOMAIN,
    "servfail": dns.rcode.SERVFAIL,
    "refused": dns.rcode.REFUSED,
    "notimp": dns.rcode.NOTIMP,
}
PAGES = {
    "/ok": response(200, b"status: ok"),
    "/gzip": response(200, gzip.compress(b"status: ok"), "Content-Encoding: gzip"),
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nstatus\r\n4\r\n: ok\r\n0\r\n\r\n",
    "/close": b"HTTP/1.0 200 OK\r\n\r\nstatus: ok",
    "/bad-chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nstatus: ok",
    "/nothing": b"",
    "/garbage": b"SSH-2.0-OpenSSH_9.2\r\n",
    "/long-header": response(200, b"ok", "X: " + "x" * 70_000),
    "/loop": response(302, b"", "Location: /loop"),
    "/no-location": response(302, b""),
    "/bad-location": response(302, b"", "Location: gopher://127.0.0.1/"),
}


@dataclass(frozen=True)
class World:
    """Where everything is."""

    http: int
    https: dict[str, int]
    dns: int
    udp: int
    closed: int
    full: int
    authority: str
    """The file with the certificate that the good servers' are signed with."""


def page(connection: socket.socket, request: bytes) -> None:
    """Answers by the path: `/status/404`, `/redirect/301`, `/hops/3`, `/method/POST`, or one of the pages."""
    if not request[:1].isalpha():  # a TLS handshake
        return
    method, path, _ = request.split(b"\r\n")[0].decode().split(" ", 2)
    kind, _, value = path[1:].partition("/")
    if kind == "status":
        connection.sendall(response(int(value), b"" if value in ("204", "304") else b"status: ok"))
    elif kind == "redirect":
        connection.sendall(response(int(value), b"", "Location: /ok"))
    elif kind == "hops":
        place = "/ok" if value == "0" else f"/hops/{int(value) - 1}"
        connection.sendall(response(302, b"", f"Location: {place}"))
    elif kind == "method":
        connection.sendall(response(200 if method == value else 405, b"" if method == "HEAD" else b"ok"))
    else:
        connection.sendall(PAGES[path])


def zone(query: Message, is_tcp: bool) -> bytes | None:
    """Answers by the first label of the name: an rcode, `empty`, `silent`, `long`, or else with a record."""
    question = query.question[0]
    name, kind = question.name.to_text(), question.rdtype.name
    label = name.split(".")[0]
    if label == "silent":
        return None
    if label in RCODES:
        return answer(rcode=RCODES[label])(query, is_tcp)
    records = [] if label == "empty" else [f"{name} 60 IN {kind} {RECORDS[kind]}"]
    script = truncated(answer(*records)) if label == "long" else answer(*records)
    return script(query, is_tcp)


@contextmanager
def world() -> Iterator[World]:
    """Starts all of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        plain = stack.enter_context(Listener())
        plain.script = page
        names = stack.enter_context(NameServer())
        names.script = zone
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        yield World(
            http=plain.port,
            https=_secured(stack, authority, folder),
            dns=names.port,
            udp=udp.getsockname()[1],
            closed=_closed(),
            full=_full(stack),
            authority=str(folder / "ca.pem"),
        )


def _secured(stack: ExitStack, authority: trustme.CA, folder: Path) -> dict[str, int]:
    now, day = datetime.now(UTC), timedelta(days=1)
    contexts = {
        "good": server_context(authority.issue_cert("127.0.0.1")),
        "ending": server_context(authority.issue_cert("127.0.0.1", not_after=now + 5 * day)),
        "expired": server_context(authority.issue_cert("127.0.0.1", not_after=now - day)),
        "future": server_context(authority.issue_cert("127.0.0.1", not_before=now + day)),
        "other host": server_context(authority.issue_cert("other.example")),
        "untrusted": server_context(trustme.CA().issue_cert("127.0.0.1")),
    }
    own = server_context(trustme.CA().issue_cert("127.0.0.1"))
    own.load_cert_chain(certificate(folder, "127.0.0.1", 20))
    listeners = {}
    for name, context in {**contexts, "self-signed": own}.items():
        listener = stack.enter_context(Listener(context))
        listener.script = page
        listeners[name] = listener.port
    return listeners


def _closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _full(stack: ExitStack) -> int:
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(4):
        client = stack.enter_context(socket.socket())
        client.setblocking(False)
        client.connect_ex(server.getsockname())
    return int(server.getsockname()[1])
