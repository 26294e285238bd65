"""One HTTP exchange with a real server."""

from __future__ import annotations

import gzip
import socket
from typing import Any

import pytest
import uvloop

from probes.curl import Curl
from probes.errors import ErrorClass
from probes.fetch import FetchRequest, FetchResponse, check_header, fetch
from probes.guard import AddressPolicy
from probes.url import parse_http_url
from tests.probes.listeners import Listener, answer, response
from tests.timing import keeps


def get(url: str, policy: AddressPolicy, **fields: Any) -> FetchResponse:
    """Fetches `url` once."""

    async def once() -> FetchResponse:
        request = {"timeout_ms": 5000, "max_body_bytes": 1000, **fields}
        async with Curl(policy) as curl:
            return await fetch(curl, FetchRequest(url=parse_http_url(url), **request))

    return uvloop.run(once())


def test_a_response_comes_back_whole(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(201, b"made", "X-One: 1", "x-two:  b "))
    got = get(listener.url, loopback)
    assert (got.error_class, got.status_code, got.body, got.address) == (None, 201, b"made", "127.0.0.1")
    assert (got.header("x-one"), got.header("X-Two"), got.header("x-three")) == ("1", "b", None)
    assert not got.is_truncated


def test_the_phases_add_up_to_the_total(listener: Listener, loopback: AddressPolicy) -> None:
    timings = get(listener.url, loopback).timings
    phases = [timings.dns_ms, timings.connect_ms, timings.ttfb_ms, timings.download_ms]
    assert all(phase is not None for phase in phases)
    assert timings.tls_ms is None
    assert sum(phase or 0 for phase in phases) == pytest.approx(timings.total_ms, abs=1)


def test_the_request_is_sent_as_given(listener: Listener, loopback: AddressPolicy) -> None:
    headers = [("Content-Type", "application/json"), ("X-Empty", ""), ("X-Latin", "é")]
    get(f"{listener.url}/hook?a=1", loopback, method="PUT", headers=headers, body=b'{"a":1}\0')
    head, _, body = listener.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"PUT /hook?a=1 HTTP/1.1"
    assert {b"Content-Type: application/json", b"X-Empty:", b"X-Latin: \xe9"} <= set(lines)
    assert b"Expect" not in head
    assert body == b'{"a":1}\0'


def test_head_has_no_body(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(200, b""))
    assert get(listener.url, loopback, method="HEAD").status_code == 200
    assert listener.requests[0].startswith(b"HEAD / ")


def test_reading_stops_at_the_cap(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(200, b"x" * 1_000_000))
    got = get(listener.url, loopback, max_body_bytes=10)
    assert (got.body, got.is_truncated, got.error_class, got.status_code) == (b"x" * 10, True, None, 200)


def test_a_body_of_just_the_cap_is_whole(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(200, b"x" * 10))
    got = get(listener.url, loopback, max_body_bytes=10)
    assert (got.body, got.is_truncated) == (b"x" * 10, False)


def test_the_cap_is_on_the_decoded_body(listener: Listener, loopback: AddressPolicy) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    listener.script = answer(response(200, bomb, "Content-Encoding: gzip"))
    got = get(listener.url, loopback)
    assert (got.body, got.is_truncated) == (b"\0" * 1000, True)


def test_a_dripping_body_meets_the_deadline(listener: Listener, loopback: AddressPolicy) -> None:
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not listener.stopping.wait(0.02):
            connection.sendall(b"x")

    listener.script = drip
    got = get(listener.url, loopback, timeout_ms=200)
    assert (got.error_class, got.status_code) == (ErrorClass.TIMEOUT, 200)
    assert keeps(200, got.timings.total_ms)


def test_dripping_headers_meet_the_deadline(listener: Listener, loopback: AddressPolicy) -> None:
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not listener.stopping.wait(0.02):
            connection.sendall(b"X: y\r\n")

    listener.script = drip
    assert get(listener.url, loopback, timeout_ms=200).error_class == ErrorClass.TIMEOUT


def test_endless_headers_are_cut_off(listener: Listener, loopback: AddressPolicy) -> None:
    def flood(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X: " + b"y" * 1000 + b"\r\n")

    listener.script = flood
    assert get(listener.url, loopback).error_class in (ErrorClass.TOO_LARGE, ErrorClass.RESET)


@pytest.mark.parametrize(
    ("data", "error_class"),
    [
        (b"", ErrorClass.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx", ErrorClass.RESET),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ErrorClass.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", ErrorClass.PROTOCOL),
    ],
)
def test_a_broken_answer_has_its_class(
    listener: Listener, loopback: AddressPolicy, data: bytes, error_class: ErrorClass
) -> None:
    listener.script = answer(data)
    got = get(listener.url, loopback)
    assert got.error_class == error_class
    assert got.error


def test_redirects_are_not_followed(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(302, b"", "Location: /elsewhere"))
    got = get(listener.url, loopback)
    assert (got.status_code, got.header("location"), listener.count()) == (302, "/elsewhere", 1)


def test_a_header_of_an_interim_response_is_not_the_responses(
    listener: Listener, loopback: AddressPolicy
) -> None:
    listener.script = answer(b"HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n" + response(200, b""))
    got = get(listener.url, loopback)
    assert (got.status_code, got.header("link")) == (200, None)


def test_a_proxy_in_the_environment_is_ignored(
    listener: Listener, loopback: AddressPolicy, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    assert get(listener.url, loopback).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "x"),
        ("X Y", "x"),
        ("X:", "x"),
        ("X\r\nY", "x"),
        ("Ü", "x"),
        ("X", "a\r\nY: b"),
        ("X", "a\nb"),
        ("X", "a\0b"),
        ("X", "\x7f"),
        ("X", "ł"),
        ("Host", "other.example"),
        ("content-length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("Proxy-Authorization", "x"),
    ],
)
def test_a_header_that_would_be_dangerous_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        check_header(name, value)


@pytest.mark.parametrize("method", ["", "GET /x HTTP/1.1\r\nHost: y\r\n\r\n", "GE T"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    url = parse_http_url("http://example.com")
    with pytest.raises(ValueError, match="method"):
        FetchRequest(url=url, timeout_ms=1, max_body_bytes=1, method=method)
