"""Exchanges by a socket of our own: when, what is sent, and how they end."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest
import uvloop

from probes.curl import Curl
from probes.errors import ErrorClass
from probes.fetch.messages import FetchRequest, FetchResponse
from probes.fetch.plain import fetch_plain, is_plain, request_bytes
from probes.guard import AddressPolicy
from probes.url import parse_http_url
from tests.probes.listeners import Listener, answer, response


def asked(url: str = "http://example.com/", **fields: Any) -> FetchRequest:
    given = {"timeout_ms": 2000, "max_body_bytes": 1000, **fields}
    return FetchRequest(url=parse_http_url(url), **given)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asked(), True),
        (asked(http_version="1.1"), True),
        (asked(method="POST", body=b"x", headers=[("X", "y")]), True),
        (asked("https://example.com/"), False),
        (asked(http_version="2"), False),
        (asked(headers=[("accept-ENCODING", "br")]), False),
    ],
)
def test_what_needs_no_libcurl(request_: FetchRequest, expected: bool) -> None:
    assert is_plain(request_) == expected


@pytest.mark.parametrize(
    ("url", "first", "host"),
    [
        ("http://example.com", b"GET / HTTP/1.1", b"Host: example.com"),
        ("http://example.com:8080/a?b=c", b"GET /a?b=c HTTP/1.1", b"Host: example.com:8080"),
        ("http://[2001:db8::1]/", b"GET / HTTP/1.1", b"Host: [2001:db8::1]"),
    ],
)
def test_the_first_lines(url: str, first: bytes, host: bytes) -> None:
    assert request_bytes(asked(url), "us/1").split(b"\r\n")[:2] == [first, host]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"method": "POST"}, [b"Content-Length: 0"]),
        ({"body": b""}, [b"Content-Length: 0"]),
        ({"method": "PUT", "body": b"abc"}, [b"Content-Length: 3"]),
        ({"method": "DELETE"}, []),
    ],
)
def test_a_body_has_its_length(fields: dict[str, Any], expected: list[bytes]) -> None:
    lines = request_bytes(asked(**fields), "us/1").split(b"\r\n")
    assert [line for line in lines if line.startswith(b"Content-Length")] == expected


def plainly(listener: Listener, policy: AddressPolicy, **fields: Any) -> FetchResponse:
    async def once() -> FetchResponse:
        async with Curl(policy) as curl:
            return await fetch_plain(curl, asked(listener.url, **fields), listener.host, 0.0)

    return uvloop.run(once())


def test_a_large_body_is_sent_whole_while_the_target_is_slow(
    listener: Listener, loopback: AddressPolicy
) -> None:
    body, received = bytes(range(256)) * 40_000, bytearray()

    def read_on(connection: socket.socket, first: bytes) -> None:
        received.extend(first)
        while len(received) < len(body):
            received.extend(connection.recv(100_000))
        connection.sendall(response(201))

    listener.script = read_on
    assert plainly(listener, loopback, method="POST", body=body).status_code == 201
    assert received.endswith(body)


def test_an_answer_that_comes_before_all_was_sent_counts(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(413))
    assert plainly(listener, loopback, method="POST", body=bytes(200)).status_code == 413


def test_a_response_says_how_long_each_phase_took(listener: Listener, loopback: AddressPolicy) -> None:
    timings = plainly(listener, loopback).timings
    phases = [timings.dns_ms, timings.connect_ms, timings.ttfb_ms, timings.download_ms]
    assert sum(phase or 0 for phase in phases) == pytest.approx(timings.total_ms, abs=0.01)
    assert timings.tls_ms is None


def test_what_was_not_reached_took_no_time(
    listener: Listener, loopback: AddressPolicy, full_port: int, closed_port: int
) -> None:
    for port, error_class in ((full_port, ErrorClass.CONNECT_TIMEOUT), (closed_port, ErrorClass.REFUSED)):

        async def once(port: int = port) -> FetchResponse:
            async with Curl(loopback) as curl:
                request = asked(f"http://127.0.0.1:{port}/", timeout_ms=100)
                return await fetch_plain(curl, request, "127.0.0.1", 0.0)

        failed = uvloop.run(once())
        assert (failed.error_class, failed.status_code) == (error_class, None)
        assert (failed.timings.connect_ms, failed.timings.ttfb_ms, failed.timings.download_ms) == (
            None,
            None,
            None,
        )


def test_cancelling_closes_the_connection(listener: Listener, loopback: AddressPolicy) -> None:
    arrived, left = threading.Event(), threading.Event()

    def until_the_client_leaves(connection: socket.socket, _: bytes) -> None:
        arrived.set()
        if connection.recv(1) == b"":
            left.set()

    async def cancel() -> None:
        async with Curl(loopback) as curl:
            fetching = asyncio.create_task(fetch_plain(curl, asked(listener.url), listener.host, 0.0))
            await asyncio.to_thread(arrived.wait, 5)
            fetching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fetching
            assert await asyncio.to_thread(left.wait, 5)

    listener.script = until_the_client_leaves
    uvloop.run(cancel())


def test_cancelling_as_the_answer_comes_is_no_failure_of_ours(
    listener: Listener, loopback: AddressPolicy, caplog: pytest.LogCaptureFixture
) -> None:
    async def cancel_in_time() -> None:
        async with Curl(loopback) as curl:
            fetching = asyncio.ensure_future(fetch_plain(curl, asked(listener.url), listener.host, 0.0))
            await asyncio.sleep(0)
            connection = curl.sockets._new[0]
            on_end = connection.on_end

            def cancel_first(_: object) -> None:
                fetching.cancel()
                on_end(connection)

            connection.on_end = cancel_first
            with pytest.raises(asyncio.CancelledError):
                await fetching

    uvloop.run(cancel_in_time())
    assert caplog.text == ""
