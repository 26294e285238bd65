"""Transfers on one epoll: how they end, are cancelled, and what they leave behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pycurl
import pytest
import uvloop

from probes import multi as multi_module
from probes.multi import Ended, Multi
from probes.ready import SelectorPoll
from tests.probes.listeners import Listener
from tests.timing import keeps


def handle_for(url: str, timeout_ms: int = 5000) -> pycurl.Curl:
    handle = pycurl.Curl()
    for option, value in (
        (pycurl.URL, url),
        (pycurl.TIMEOUT_MS, timeout_ms),
        (pycurl.FORBID_REUSE, 1),
        (pycurl.WRITEFUNCTION, len),
    ):
        handle.setopt(option, value)
    return handle


Run = Callable[[Callable[[Multi], Awaitable[Any]]], Any]


@pytest.fixture(
    params=[(asyncio.run, False), (uvloop.run, False), (uvloop.run, True)],
    ids=["asyncio", "uvloop", "uvloop-without-epoll"],
)
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a function of a `Multi` on either loop, and checks that nothing is left behind."""
    runner, is_elsewhere = request.param
    if is_elsewhere:
        monkeypatch.setattr(multi_module, "new_poll", SelectorPoll)

    def run(work: Callable[[Multi], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            multi = Multi()
            try:
                return await work(multi)
            finally:
                assert not multi._running
                assert not multi._watched
                multi.close()

        return runner(main())

    return run


def test_many_at_once_all_end(run: Run, listener: Listener) -> None:
    async def work(multi: Multi) -> list[Ended]:
        return await asyncio.gather(*(multi.perform(handle_for(listener.url)) for _ in range(50)))

    assert run(work) == [(pycurl.E_OK, "")] * 50
    assert listener.count() == 50


def test_a_failure_has_its_code_and_message(run: Run, closed_port: int) -> None:
    async def work(multi: Multi) -> Ended:
        return await multi.perform(handle_for(f"http://127.0.0.1:{closed_port}/"))

    code, message = run(work)
    assert code == pycurl.E_COULDNT_CONNECT
    assert "connect" in message


def test_each_transfer_keeps_its_own_deadline(run: Run, listener: Listener) -> None:
    """Later ones with an earlier deadline, and the other way round."""
    listener.script = listener.hang

    async def timed(multi: Multi, timeout_ms: int) -> bool:
        began = time.monotonic()
        code, _ = await multi.perform(handle_for(listener.url, timeout_ms))
        assert code == pycurl.E_OPERATION_TIMEDOUT
        return keeps(timeout_ms, (time.monotonic() - began) * 1000)

    async def work(multi: Multi) -> list[bool]:
        longest = asyncio.create_task(multi.perform(handle_for(listener.url, 60_000)))
        ended = await asyncio.gather(*(timed(multi, timeout_ms) for timeout_ms in (300, 100, 200, 50, 400)))
        assert longest.cancel()
        with pytest.raises(asyncio.CancelledError):
            await longest
        return ended

    assert all(run(work))


def test_a_cancelled_handle_can_be_used_again_at_once(run: Run, listener: Listener) -> None:
    async def work(multi: Multi) -> Ended:
        listener.script, answering = listener.hang, listener.script
        handle = handle_for(listener.url)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(multi.perform(handle), 0.05)
        listener.script = answering
        return await multi.perform(handle)

    assert run(work) == (pycurl.E_OK, "")


def test_closing_ends_what_runs(listener: Listener) -> None:
    listener.script = listener.hang

    async def work() -> None:
        multi = Multi()
        task = asyncio.create_task(multi.perform(handle_for(listener.url)))
        await asyncio.sleep(0)
        multi.close()
        with pytest.raises(asyncio.CancelledError):
            await task

    uvloop.run(work())


class Broken:
    """A multi handle that cannot go on."""

    def __init__(self, whole: pycurl.CurlMulti) -> None:
        self._whole = whole

    def socket_action(self, *_: int) -> None:
        raise pycurl.error(4, "internal error")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


def test_when_libcurl_itself_fails_every_transfer_ends(listener: Listener) -> None:
    async def work() -> list[Ended]:
        multi = Multi()
        multi._multi = Broken(multi._multi)
        ended = await asyncio.gather(*(multi.perform(handle_for(listener.url)) for _ in range(2)))
        multi.close()
        return ended

    assert [code for code, _ in uvloop.run(work())] == [pycurl.E_FAILED_INIT] * 2
