"""The ways out: how a delivery is tried, by the scheme of the address that it goes to.

Claims, leases, retries and the log are the same for all. Another channel is one file and one line here.
"""

from __future__ import annotations

from typing import Protocol

from probes.curl import Curl
from probes.errors import ErrorClass
from webhooks import sending
from webhooks.claiming import Claim
from webhooks.outcome import AttemptOutcome


class Channel(Protocol):
    """One try of a delivery; it ends well within the lease. Any trouble is an outcome, never raised."""

    async def __call__(self, curl: Curl, claim: Claim) -> AttemptOutcome: ...


CHANNELS: dict[str, Channel] = {
    "https": sending.attempt,
    "http": sending.attempt,
}


async def attempt(curl: Curl, claim: Claim) -> AttemptOutcome:
    """Try a claimed delivery, once, by the channel that its address names."""
    scheme = claim.url.partition(":")[0].lower()
    if scheme not in CHANNELS:
        return AttemptOutcome(duration_ms=0, error_class=ErrorClass.INTERNAL, error="no such channel")
    return await CHANNELS[scheme](curl, claim)
