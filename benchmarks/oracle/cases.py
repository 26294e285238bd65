"""The cases: what we are asked, and how the same is said to each oracle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.oracle.world import RECORDS, World
from probes.messages import (
    BodyRule,
    DnsTarget,
    HttpTarget,
    PingTarget,
    SslTarget,
    Target,
    TcpTarget,
    UdpTarget,
)

TIMEOUT_MS = 1500
OK = ((200, 299),)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One question. `why` explains the oracles that are known to answer it otherwise."""

    name: str
    target: Target
    module: dict[str, Any] | None = None
    """blackbox_exporter's, and the `aim` that it is given."""
    aim: str = ""
    plugin: list[str] | None = None
    """The arguments of one of monitoring-plugins."""
    why: dict[str, str] = field(default_factory=dict)


def cases(world: World) -> Iterator[Case]:
    """All of them."""
    yield from _statuses(world)
    yield from _bodies(world)
    yield from _answers(world)
    yield from _redirects(world)
    yield from _methods(world)
    yield from _certificates(world)
    yield from _ports(world)
    yield from _names(world)
    yield from _pings()


def _http(world: World, path: str, *, plugin: list[str] | None = None, why: Any = None, **given: Any) -> Case:
    url = f"http://127.0.0.1:{world.http}{path}"
    options = {"preferred_ip_protocol": "ip4", **given.pop("box", {})}
    target = HttpTarget(url=url, **{"expected_status": OK, **given})
    arguments = (
        ["check_http", "-I", "127.0.0.1", "-p", str(world.http), "-u", path, *plugin] if plugin else None
    )
    return Case(
        name=f"http {path} {given or ''}",
        target=target,
        module={"prober": "http", "http": options},
        aim=url,
        plugin=arguments,
        why=why or {},
    )


def _statuses(world: World) -> Iterator[Case]:
    for status in (
        200,
        201,
        202,
        204,
        206,
        300,
        304,
        400,
        401,
        403,
        404,
        410,
        418,
        429,
        500,
        502,
        503,
        504,
        599,
    ):
        path = f"/status/{status}"
        yield _http(world, path, plugin=["-e", " 20"])
        exact = {"expected_status": ((status, status),), "box": {"valid_status_codes": [status]}}
        yield _http(world, path, plugin=["-e", f" {status}"], **exact)
        other = {"expected_status": ((207, 207),), "box": {"valid_status_codes": [207]}}
        yield _http(world, path, plugin=["-e", " 207"], **other)


def _bodies(world: World) -> Iterator[Case]:
    for path in ("/ok", "/gzip", "/chunked", "/close"):
        for pattern in ("status: ok", "(?i)STATUS", "^ok", r"\bok$", "o.*k", "nothing"):
            for negated in (False, True):
                rule = BodyRule(text=pattern, is_regex=True, is_negated=negated)
                key = f"fail_if_body_{'' if negated else 'not_'}matches_regexp"
                box: dict[str, Any] = {key: [pattern]} | ({"compression": "gzip"} if path == "/gzip" else {})
                yield _http(world, path, body_rule=rule, box=box)
        compressed = path == "/gzip"
        yield _http(
            world,
            path,
            body_rule=BodyRule(text="status: ok"),
            box={"compression": "gzip"} if compressed else {},
            plugin=None if compressed else ["-s", "status: ok"],
            why={"plugins": "check_http sees no body where there is no header"} if path == "/close" else {},
        )


def _answers(world: World) -> Iterator[Case]:
    unread = {"plugins": "check_http takes what came as the whole answer, and reads no further"}
    yield _http(world, "/bad-chunks", plugin=["-e", " 200"], why=unread)
    yield _http(world, "/cut", plugin=["-e", " 200"], why=unread)
    yield _http(world, "/nothing", plugin=["-e", " 200"])
    yield _http(world, "/garbage", plugin=["-e", " 200"])
    cap = "our cap on headers is 64 KiB, Go's is 1 MiB"
    yield _http(world, "/long-header", why={"blackbox": cap})


def _redirects(world: World) -> Iterator[Case]:
    for status in (301, 302, 303, 307, 308):
        path = f"/redirect/{status}"
        yield _http(world, path, plugin=["-f", "follow"])
        yield _http(world, path, follow_redirects=False, box={"follow_redirects": False})
    for hops in (1, 4, 5, 8):
        why = {"blackbox": "it follows 10 redirects, we 5"} if hops >= 5 else {}
        yield _http(world, f"/hops/{hops}", why=why)
    for path in ("/loop", "/no-location", "/bad-location"):
        yield _http(world, path)


def _methods(world: World) -> Iterator[Case]:
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        yield _http(world, f"/method/{method}", method=method, box={"method": method})
        yield _http(world, f"/method/{method}", method="GET")


def _certificates(world: World) -> Iterator[Case]:
    trust = {"tls_config": {"ca_file": world.authority}}
    for name, port in world.https.items():
        url = f"https://127.0.0.1:{port}/ok"
        http = {"prober": "http", "http": {"preferred_ip_protocol": "ip4", **trust}}
        tcp = {"prober": "tcp", "tcp": {"tls": True, **trust}}
        aim = f"127.0.0.1:{port}"
        yield Case(name=f"https {name}", target=HttpTarget(url=url), module=http, aim=url)
        target = TcpTarget(host="127.0.0.1", port=port, tls=True)
        yield Case(name=f"tcp tls {name}", target=target, module=tcp, aim=aim)
        yield Case(name=f"ssl {name}", target=SslTarget(host="127.0.0.1", port=port), module=tcp, aim=aim)
    plain = f"127.0.0.1:{world.http}"
    module = {"prober": "tcp", "tcp": {"tls": True, **trust}}
    yield Case(name="ssl none", target=SslTarget(host="127.0.0.1", port=world.http), module=module, aim=plain)


def _ports(world: World) -> Iterator[Case]:
    for name, port in (("open", world.http), ("closed", world.closed), ("full", world.full)):
        yield Case(
            name=f"tcp {name}",
            target=TcpTarget(host="127.0.0.1", port=port),
            module={"prober": "tcp"},
            aim=f"127.0.0.1:{port}",
            plugin=["check_tcp", "-H", "127.0.0.1", "-p", str(port)],
        )
    for name, port in (("closed", world.closed), ("silent", world.udp)):
        yield Case(
            name=f"udp {name}",
            target=UdpTarget(host="127.0.0.1", port=port, payload="x"),
            plugin=["check_udp", "-H", "127.0.0.1", "-p", str(port), "-s", "x", "-e", ""],
            why={"plugins": "check_udp wants a reply; to us who does not reject is up"}
            if name == "silent"
            else {},
        )


def _names(world: World) -> Iterator[Case]:
    for kind, value in RECORDS.items():
        yield _dns(world, "ok", kind, None)
        yield _dns(world, "ok", kind, value.strip('"').split()[-1].strip('"'))
        yield _dns(world, "ok", kind, "no such value")
    for label in ("nxdomain", "servfail", "refused", "notimp", "empty", "silent"):
        yield _dns(world, label, "A", None)
    cut = "it takes the answer that was cut off; we ask again over TCP, as RFC 7766 has it"
    yield _dns(world, "long", "A", None, why={"blackbox": cut})


def _dns(world: World, label: str, kind: str, value: str | None, why: dict[str, str] | None = None) -> Case:
    name, wanted = f"{label}.example", (value or "").replace(".", r"\.")
    options = {
        "query_name": name,
        "query_type": kind,
        "valid_rcodes": ["NOERROR"],
        "transport_protocol": "udp",
        "preferred_ip_protocol": "ip4",
        "validate_answer_rrs": {"fail_if_none_matches_regexp": [f".*{wanted}.*"]},
    }
    resolver = f"127.0.0.1:{world.dns}"
    target = DnsTarget(name=name, record_type=kind, expected_value=value, resolver=resolver)  # type: ignore[arg-type]
    module = {"prober": "dns", "dns": options}
    return Case(name=f"dns {label} {kind} {value}", target=target, module=module, aim=resolver, why=why or {})


def _pings() -> Iterator[Case]:
    for host, version in (("127.0.0.1", "ip4"), ("127.1.2.3", "ip4"), ("::1", "ip6")):
        module = {"prober": "icmp", "icmp": {"preferred_ip_protocol": version}}
        plugin = ["check_icmp", "-H", host] if version == "ip4" else None
        yield Case(name=f"ping {host}", target=PingTarget(host=host), module=module, aim=host, plugin=plugin)
