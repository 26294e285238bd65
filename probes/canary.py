"""Whether this region can see the world, and what it says while it cannot.

A region that is cut off sees every target down. So it has canaries: targets of the operator's that are
hardly ever down. The region is sick when it cannot see more than half of them, and from then until it has
seen them again it does not say `down`. What it sees up is up, whatever the canaries say.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from probes import env
from probes.curl import Curl
from probes.errors import ErrorClass
from probes.fetch import FetchRequest, fetch
from probes.guard import ANYWHERE
from probes.measurement import Measurement
from probes.messages import TcpTarget
from probes.protocols.tcp import probe_tcp
from probes.url import BadUrl, HttpUrl, bracketed, parse_http_url, parse_tcp_url

logger = logging.getLogger(__name__)

TIMEOUT_MS = 3000
PERIOD_SECONDS = 5.0
SICK_PERIOD_SECONDS = 1.0
"""A sick region looks more often, to be back soon."""
SPACING_SECONDS = 0.25
"""At least this much lies between two checks, however many targets are down."""
MAX_REASON_CHARS = 200

Canary = HttpUrl | TcpTarget


def configured_canaries() -> list[Canary]:
    """The operator's list; raises `BadSetting`."""
    return [_parse(word) for word in env.words("CANARIES")]


def _parse(word: str) -> Canary:
    try:
        return parse_http_url(word) if word.startswith(("http://", "https://")) else parse_tcp_url(word)
    except BadUrl as error:
        raise env.BadSetting(
            f"{env.PREFIX}CANARIES: {word!r} is neither an http(s) URL nor host:port: {error}"
        ) from error


class Canaries:
    """The canaries of a region, on the running loop. Without any, it is always well."""

    def __init__(self, canaries: Sequence[Canary] = ()) -> None:
        self.sick = ""
        """Why the last check found the region sick; empty while it is well. Any thread may read it."""
        self._canaries = canaries
        self._curl = Curl(ANYWHERE)  # they are the operator's, not a customer's
        self._sickness = ""
        self._sick_until = -math.inf
        self._last_began = -math.inf
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Looks at the canaries every period, for as long as the context lasts."""
        async with self._curl:
            watching = asyncio.create_task(self._watch())
            try:
                yield
            finally:
                watching.cancel()
                await asyncio.wait([watching])

    async def review(self, measured: Measurement, started: float) -> Measurement:
        """`measured`, or that the region is sick instead of a `down` that it cannot vouch for.

        `started` is when the probe did, by `time.monotonic`: a region that was sick at any time since cannot
        vouch. A check tells whether it is sick now; it begins after the failure, and all who wait share it.
        """
        if not (self._canaries and measured.error_class and measured.error_class.outcome == "down"):
            return measured
        await self._make_sure(started)
        if not self._was_sick_since(started):
            return measured
        seen = f"the region was sick ({self._sickness}); it saw {measured.error_class}: {measured.error}"
        return replace(measured, error_class=ErrorClass.REGION_SICK, error=seen)

    async def _make_sure(self, started: float) -> None:
        asked = time.monotonic()
        async with self._turn:
            if self._last_began < asked and not self._was_sick_since(started):
                await self._check()

    def _was_sick_since(self, started: float) -> bool:
        return self.sick != "" or started <= self._sick_until

    async def _watch(self) -> None:
        await asyncio.sleep(PERIOD_SECONDS)  # for canaries that start along with us
        while self._canaries:
            if self.sick or time.monotonic() >= self._last_began + PERIOD_SECONDS:
                async with self._turn:
                    await self._check()
            await asyncio.sleep(SICK_PERIOD_SECONDS)

    async def _check(self) -> None:
        await asyncio.sleep(self._last_began + SPACING_SECONDS - time.monotonic())
        began = time.monotonic()
        self._learn(await self._look())
        self._last_began = began

    def _learn(self, sick: str) -> None:
        """Until a check finds it well again, a region was sick."""
        if sick or self.sick:
            self._sick_until = time.monotonic()
        if sick and not self.sick:
            logger.warning("region.sick: %s", sick)
        if self.sick and not sick:
            logger.warning("region.well: its canaries are seen again")
        self._sickness = sick or self._sickness
        self.sick = sick

    async def _look(self) -> str:
        """Why the region is sick, or nothing. Once that is clear, the other canaries are not waited for."""
        half, failures = len(self._canaries) / 2, list[str]()
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(self._see(canary)) for canary in self._canaries]
            for count, look in enumerate(asyncio.as_completed(looks), start=1):
                failures += await look
                if len(failures) > half or count - len(failures) >= half:
                    break
            for look in looks:
                look.cancel()
        return "; ".join(failures)[:MAX_REASON_CHARS] if len(failures) > half else ""

    async def _see(self, canary: Canary) -> list[str]:
        """Why `canary` cannot be seen, or nothing."""
        name = f"canary {bracketed(canary.host)}:{canary.port}"  # all that is shown: a URL may hold a secret
        try:
            failure = await self._failure(canary)
        except Exception as error:
            logger.exception("canary.failed: %s", name)
            failure = type(error).__name__
        return [f"{name}: {failure}"] if failure else []

    async def _failure(self, canary: Canary) -> str:
        measured: Measurement
        if isinstance(canary, TcpTarget):
            measured = await probe_tcp(canary, TIMEOUT_MS, self._curl)
        else:
            head_only = FetchRequest(url=canary, timeout_ms=TIMEOUT_MS, max_body_bytes=0)
            measured = await fetch(self._curl, head_only)
        if measured.status_code:
            return f"status {measured.status_code}" if measured.status_code >= 500 else ""
        return measured.error_class or ""
