"""Targets that fight back: each ends in time and as what it is, costs no memory, and disturbs nobody."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pycurl
import pytest
from dns.message import Message

from probes import curl
from probes.engine import Engine
from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.messages import BodyRule, DnsTarget, HttpTarget, ProbeResult, SslTarget, Target
from tests.probes.asking import ask, look_at
from tests.probes.hostile import MODES
from tests.probes.listeners import Listener
from tests.probes.nameserver import NameServer, truncated
from tests.timing import STALL_MS

TIMEOUT_MS = 500
MIB = 1024 * 1024
CLASSES = {
    "headers": ErrorClass.TOO_LARGE,
    "one_header": ErrorClass.TOO_LARGE,
    "body": None,  # the status came; what is read of a body has its cap
    "gzip_bomb": None,
    "drip": ErrorClass.TIMEOUT,
    "drip_headers": ErrorClass.TIMEOUT,
    "silence": ErrorClass.TIMEOUT,
    "reset": ErrorClass.RESET,
    "cut": ErrorClass.RESET,
    "chunks": ErrorClass.PROTOCOL,
    "huge_chunk": ErrorClass.PROTOCOL,
    "garbage": ErrorClass.PROTOCOL,
    "loop": ErrorClass.REDIRECT,
}


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """The ports of the hostile servers, which have a process of their own, so that memory is only ours."""
    command = [sys.executable, "-m", "tests.probes.hostile"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as servers,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert servers.stdout
        ports = json.loads(servers.stdout.readline())
        patch.setattr(curl, "ALWAYS", (*curl.ALWAYS, (pycurl.CAINFO, ports.pop("ca"))))
        yield ports
        servers.communicate("")


def target_of(mode: str, ports: dict[str, int], *, with_rule: bool = False) -> HttpTarget:
    rule = BodyRule(text="(ok|fine)", is_regex=True) if with_rule else None
    return HttpTarget(url=f"http://127.0.0.1:{ports['plain']}/{mode}", body_rule=rule)


def ends_in_time(target: Target, policy: AddressPolicy) -> ErrorClass | None:
    begin = time.monotonic()
    measured = look_at(target, policy, TIMEOUT_MS)
    assert (time.monotonic() - begin) * 1000 < TIMEOUT_MS + STALL_MS
    assert measured.timings.total_ms < TIMEOUT_MS + STALL_MS
    return measured.error_class


def test_every_mode_has_its_class() -> None:
    assert set(MODES) == set(CLASSES)


@pytest.mark.parametrize("mode", MODES)
def test_a_hostile_answer_ends_in_time_as_what_it_is(
    ports: dict[str, int], loopback: AddressPolicy, mode: str
) -> None:
    assert ends_in_time(target_of(mode, ports), loopback) == CLASSES[mode]


@pytest.mark.parametrize("mode", ["body", "gzip_bomb"])
def test_what_is_searched_ends_at_its_cap(ports: dict[str, int], loopback: AddressPolicy, mode: str) -> None:
    assert ends_in_time(target_of(mode, ports, with_rule=True), loopback) == ErrorClass.TOO_LARGE


def test_tls_that_never_finishes_ends_in_time(ports: dict[str, int], loopback: AddressPolicy) -> None:
    for target in (
        HttpTarget(url=f"https://127.0.0.1:{ports['plain']}/"),
        SslTarget(host="127.0.0.1", port=ports["plain"]),
    ):
        assert ends_in_time(target, loopback) == ErrorClass.TIMEOUT


@pytest.mark.parametrize(
    ("port", "https", "ssl"), [("names1", "protocol", "too_large"), ("names2", "tls", "tls")]
)
def test_a_certificate_of_10_000_names_ends_in_time(
    ports: dict[str, int], loopback: AddressPolicy, port: str, https: str, ssl: str
) -> None:
    url = f"https://127.0.0.1:{ports[port]}/garbage"
    assert ends_in_time(HttpTarget(url=url), loopback) == https
    assert ends_in_time(SslTarget(host="127.0.0.1", port=ports[port]), loopback) == ssl


def test_a_name_server_that_hangs_over_tcp_ends_in_time(loopback: AddressPolicy) -> None:
    is_over = threading.Event()

    def hang(_query: Message, _is_tcp: bool) -> None:
        is_over.wait(10)

    with NameServer() as server:
        server.script = truncated(hang)
        target = DnsTarget(name="a.example", resolver=server.resolver)
        assert ends_in_time(target, loopback) == ErrorClass.TIMEOUT
        is_over.set()


def test_a_flood_of_strangers_answers_ends_in_time(loopback: AddressPolicy) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooder:
        flooder.bind(("127.0.0.1", 0))
        is_over = threading.Event()

        def flood() -> None:
            query, peer = flooder.recvfrom(512)
            stray = bytes([query[0] ^ 0xFF]) + query[1:2] + b"\x80" + query[3:]
            flooder.connect(peer)
            while not is_over.is_set():
                try:
                    flooder.send(stray)
                except OSError:  # the probe has gone
                    return

        thread = threading.Thread(target=flood)
        thread.start()
        target = DnsTarget(name="a.example", resolver=f"127.0.0.1:{flooder.getsockname()[1]}")
        try:
            assert ends_in_time(target, loopback) == ErrorClass.TIMEOUT
        finally:
            is_over.set()
            thread.join()


class Tally:
    """Counts results; `wait` for as many as were asked."""

    def __init__(self) -> None:
        self.results: list[ProbeResult] = []
        self._more = threading.Condition()

    def add(self, result: ProbeResult) -> None:
        with self._more:
            self.results.append(result)
            self._more.notify()

    def wait(self, number: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.results) >= number, 60)


@contextmanager
def engine_of(tally: Tally, policy: AddressPolicy, cap: int) -> Iterator[Engine]:
    engine = Engine("eu", policy, tally.add, cap=cap)
    engine.start()
    yield engine
    engine.stop()


def test_a_thousand_of_them_cost_no_memory(ports: dict[str, int], loopback: AddressPolicy) -> None:
    modes, tally = list(MODES), Tally()
    targets = [target_of(modes[n % len(modes)], ports, with_rule=n % 2 == 0) for n in range(1200)]
    requests = [ask(n, target, timeout_ms=TIMEOUT_MS) for n, target in enumerate(targets)]
    process = psutil.Process()
    with engine_of(tally, loopback, cap=100) as engine:
        engine.submit(requests[:200])
        tally.wait(200)  # what every engine has after its first hundreds
        before = process.memory_info().rss
        engine.submit(requests[200:])
        tally.wait(1200)
        grown = process.memory_info().rss - before
    assert grown <= 50 * MIB
    assert max(result.total_ms for result in tally.results) < TIMEOUT_MS + STALL_MS
    # A hundred at once may leave their one process no time to take a connection.
    known = {*filter(None, CLASSES.values()), "", ErrorClass.CONNECT_TIMEOUT}
    assert {result.error_class for result in tally.results} <= known


def test_the_batch_around_them_is_untouched(
    ports: dict[str, int], listener: Listener, loopback: AddressPolicy
) -> None:
    tally, modes = Tally(), list(MODES)
    requests = [
        ask(n, target_of(modes[n // 2 % len(modes)], ports) if n % 2 else listener.url, timeout_ms=3000)
        for n in range(200)
    ]
    with engine_of(tally, loopback, cap=1000) as engine:
        engine.submit(requests)
        tally.wait(200)
    neighbours = [result for result in tally.results if result.monitor_id % 2 == 0]
    assert len(neighbours) == 100
    assert {result.outcome for result in neighbours} == {"up"}
