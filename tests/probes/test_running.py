"""A probe while it runs: without a task where that will do, and always with one result."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvloop

from probes.canary import Canaries
from probes.curl import Curl
from probes.guard import AddressPolicy
from probes.messages import BodyRule, HttpTarget, ProbeResult, Target, TcpTarget
from probes.running import Running, Tools
from tests.probes.asking import ask
from tests.probes.listeners import Listener, answer, response


def run(target: Target, policy: AddressPolicy, *, cancel: bool = False) -> tuple[bool, ProbeResult | None]:
    """Whether it took a task, and what came of it."""

    async def main() -> tuple[bool, ProbeResult | None]:
        ended: asyncio.Future[ProbeResult | None] = asyncio.get_running_loop().create_future()
        async with Curl(policy) as curl:
            tools = Tools("eu", curl, Canaries())
            request = ask(7, target, timeout_ms=2000)
            running = Running(request, tools, lambda _, result: ended.set_result(result), is_scheduled=True)
            if cancel:
                running.cancel()
            assert not ended.done()  # it is told later, whatever it is
            result = await ended
            return running._task is not None, result

    return uvloop.run(main())


@pytest.mark.parametrize(
    ("target", "takes_a_task", "error_class"),
    [
        ({}, False, ""),
        ({"method": "HEAD"}, False, ""),
        ({"headers": (("X-One", "1"),)}, False, ""),
        ({"expected_status": ((200, 299),)}, False, ""),
        ({"max_latency_ms": 5000}, False, ""),
        ({"body_rule": BodyRule(text="ok")}, True, ""),
        ({"body_rule": BodyRule(text="no")}, True, "body_mismatch"),
        ({"expected_status": ((201, 201),)}, True, "http_status"),
        ({"max_latency_ms": 1, "url": "/slow"}, True, "latency"),
        ({"url": "/redirect"}, True, ""),
        ({"url": "/redirect", "follow_redirects": False}, True, "http_status"),
        ({"url": "/redirect", "expected_status": ((302, 302),)}, False, ""),
        ({"ip_version": 4}, False, ""),
        ({"ip_version": 6}, True, "dns"),
        ({"http_version": "1.1"}, False, ""),
        ({"http_version": "2"}, True, "protocol"),
    ],
)
def test_a_task_is_taken_only_where_it_must(
    listener: Listener,
    loopback: AddressPolicy,
    target: dict[str, Any],
    takes_a_task: bool,
    error_class: str,
) -> None:
    def script(connection: Any, request: bytes) -> None:
        if request.startswith(b"GET /slow"):
            listener.stopping.wait(0.01)
        moved = request.startswith(b"GET /redirect")
        connection.sendall(response(302, b"", "Location: /") if moved else response())

    listener.script = script
    asked = {"url": "/", **target}
    took, result = run(HttpTarget(**{**asked, "url": listener.url + asked["url"]}), loopback)
    assert took == takes_a_task
    assert result
    assert (result.monitor_id, result.region, result.error_class) == (7, "eu", error_class)


def test_what_it_takes_for_a_redirect_is_one_request_each(
    listener: Listener, loopback: AddressPolicy
) -> None:
    def script(connection: Any, request: bytes) -> None:
        is_first = request.startswith(b"GET /a ")
        connection.sendall(response(302, b"", "Location: /b") if is_first else response())

    listener.script = script
    _, result = run(HttpTarget(url=f"{listener.url}/a"), loopback)
    assert result
    assert (result.outcome, result.status_code) == ("up", 200)
    assert [request.split()[1] for request in listener.requests] == [b"/a", b"/b"]


def test_a_failure_is_reviewed_and_not_asked_again(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(503))
    took, result = run(HttpTarget(url=listener.url), loopback)
    assert took
    assert result
    assert (result.outcome, result.error_class) == ("down", "http_5xx")
    assert len(listener.requests) == 1


@pytest.mark.parametrize("kind", ["plain", "task"])
def test_what_is_cancelled_has_no_result(listener: Listener, loopback: AddressPolicy, kind: str) -> None:
    listener.script = listener.hang
    target = (
        HttpTarget(url=listener.url) if kind == "plain" else TcpTarget(host="127.0.0.1", port=listener.port)
    )
    assert run(target, loopback, cancel=True) == (kind == "task", None)


def test_what_should_not_have_become_a_target_is_our_fault(loopback: AddressPolicy) -> None:
    took, result = run(HttpTarget(url="http://user@127.0.0.1/"), loopback)
    assert took
    assert result
    assert (result.outcome, result.error_class) == ("error", "internal")


def test_a_request_that_cannot_be_written_is_our_fault(listener: Listener, loopback: AddressPolicy) -> None:
    async def main() -> ProbeResult | None:
        ended: asyncio.Future[ProbeResult | None] = asyncio.get_running_loop().create_future()
        async with Curl(loopback, "Łódź/1") as curl:  # no header has such letters
            request = ask(7, listener.url, timeout_ms=500)
            Running(
                request,
                Tools("eu", curl, Canaries()),
                lambda _, result: ended.set_result(result),
                is_scheduled=True,
            )
            return await ended

    result = uvloop.run(main())
    assert result
    assert (result.outcome, result.error_class) == ("error", "internal")


def test_to_cancel_twice_is_told_once(listener: Listener, loopback: AddressPolicy) -> None:
    told: list[ProbeResult | None] = []

    async def main() -> None:
        async with Curl(loopback) as curl:
            tools = Tools("eu", curl, Canaries())
            running = Running(ask(7, listener.url), tools, lambda _, r: told.append(r), is_scheduled=True)
            running.cancel()
            running.cancel()
            await asyncio.sleep(0.05)

    uvloop.run(main())
    assert told == [None]


def test_a_forbidden_address_is_blocked() -> None:
    _, result = run(HttpTarget(url="http://127.0.0.1:1/"), AddressPolicy())
    assert result
    assert (result.outcome, result.error_class, result.address) == ("error", "blocked", "127.0.0.1")
