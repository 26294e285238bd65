from __future__ import annotations

import asyncio

import pytest

from probes.curl import Curl
from probes.guard import AddressPolicy
from tests.webhooks.test_sending import make_claim
from webhooks import channels
from webhooks.claiming import Claim
from webhooks.outcome import AttemptOutcome


def attempt(claim: Claim) -> AttemptOutcome:
    async def run() -> AttemptOutcome:
        async with Curl(AddressPolicy()) as curl:
            return await channels.attempt(curl, claim)

    return asyncio.run(run())


def test_a_delivery_takes_the_channel_of_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pigeon(curl: Curl, claim: Claim) -> AttemptOutcome:
        return AttemptOutcome(duration_ms=7, status_code=200, response_head=claim.url)

    monkeypatch.setitem(channels.CHANNELS, "pigeon", pigeon)

    assert attempt(make_claim("Pigeon:loft")).response_head == "Pigeon:loft"


def test_an_address_without_a_channel_is_an_outcome_that_does_not_show_it() -> None:
    outcome = attempt(make_claim("token-of-somebody"))

    assert (outcome.delivered, outcome.error_class, outcome.error) == (False, "internal", "no such channel")
