from __future__ import annotations

import asyncio
import base64
import socket
from datetime import timedelta

import pytest

from probes import VERSION
from probes.curl import Curl
from probes.guard import AddressPolicy
from tests.timing import keeps
from tests.webhooks.conftest import NOW
from tests.webhooks.receivers import Answer, drips, receiver, replies
from tests.webhooks.test_signing import openssl_hmac
from webhooks import sending
from webhooks.claiming import Claim
from webhooks.outcome import AttemptOutcome
from webhooks.sealing import seal_secret

ACCOUNT = 14
SECRET = "whs_live_0123456789abcdefghijABCDEFGHIJ0123456789"
LOCAL = AddressPolicy.of(["127.0.0.0/8"])


def make_claim(url: str, account_id: int = ACCOUNT, attempt: int = 1) -> Claim:
    return Claim(
        delivery_id=9001,
        webhook_id=42,
        account_id=account_id,
        attempt=attempt,
        url=url,
        sealed_secrets=[seal_secret(SECRET, ACCOUNT)],
        payload='{"event":"monitor.down","monitor_id":1287}',
        claimed_at=NOW,
        lease_until=NOW + timedelta(seconds=30),
    )


def attempt(claim: Claim, policy: AddressPolicy = LOCAL) -> AttemptOutcome:
    async def run() -> AttemptOutcome:
        async with Curl(policy) as curl:
            return await sending.attempt(curl, claim)

    return asyncio.run(run())


def outcome_of(answer: Answer) -> AttemptOutcome:
    with receiver(answer) as server:
        return attempt(make_claim(server.url))


def test_a_delivery_is_a_signed_json_post() -> None:
    with receiver(replies(204)) as server:
        outcome = attempt(make_claim(server.url, attempt=2))
        request = server.requests.get(timeout=10)

    assert outcome.delivered
    assert request.path == "/hook"
    assert request.body == b'{"event":"monitor.down","monitor_id":1287,"delivery_id":9001,"attempt":2}'
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == f"Upquorum/{VERSION}"


def test_the_bytes_that_arrive_bear_out_both_signatures() -> None:
    with receiver(replies(204)) as server:
        attempt(make_claim(server.url))
        request = server.requests.get(timeout=10)

    headers, key = request.headers, SECRET.encode()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    assert headers["X-UptimeMonitoring-Signature"] == openssl_hmac(key, request.body).hex()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(openssl_hmac(key, signed)).decode()
    assert headers["webhook-id"] == "9001"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))


@pytest.mark.parametrize("code", [200, 201, 204, 299])
def test_a_2xx_is_a_delivery(code: int) -> None:
    outcome = outcome_of(replies(code))

    assert outcome.delivered
    assert outcome.status_code == code


@pytest.mark.parametrize("code", [400, 404, 410, 429, 500, 503])
def test_another_status_is_none(code: int) -> None:
    outcome = outcome_of(replies(code))

    assert not outcome.delivered
    assert (outcome.status_code, outcome.error_class) == (code, "")
    assert outcome.refused_for_good == (code == 410)


@pytest.mark.parametrize(("code", "heeded"), [(429, "90"), (503, "90"), (500, ""), (200, "")])
def test_a_receiver_that_is_busy_says_when_to_come_again(code: int, heeded: str) -> None:
    assert outcome_of(replies(code, b"", **{"Retry-After": "90"})).retry_after == heeded


def test_a_redirect_is_not_followed() -> None:
    with receiver(replies(200)) as elsewhere, receiver(replies(307, Location=elsewhere.url)) as server:
        outcome = attempt(make_claim(server.url))

        assert (outcome.status_code, outcome.delivered) == (307, False)
        assert elsewhere.requests.empty()


def test_of_a_long_answer_only_the_head_is_kept_and_it_still_counts() -> None:
    outcome = outcome_of(replies(200, b"\0" + b"x" * 1_000_000))

    assert outcome.delivered
    assert outcome.response_head == "\N{REPLACEMENT CHARACTER}" + "x" * 1023


def test_a_receiver_that_drips_meets_one_deadline_over_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_MS", 300)
    monkeypatch.setattr(sending, "READ_BYTES", 1_000_000)

    outcome = outcome_of(drips)

    assert (outcome.status_code, outcome.error_class) == (200, "timeout")
    assert not outcome.delivered
    assert keeps(300, outcome.duration_ms)  # the receiver drips for a minute


def test_an_address_that_policy_refuses_is_not_connected_to() -> None:
    with receiver(replies(200)) as server:
        outcome = attempt(make_claim(server.url), AddressPolicy())

        assert (outcome.status_code, outcome.error_class) == (None, "blocked")
        assert server.requests.empty()


def test_a_closed_port_is_an_outcome() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        outcome = attempt(make_claim(f"http://127.0.0.1:{taken.getsockname()[1]}/"))

    assert (outcome.status_code, outcome.error_class) == (None, "refused")
    assert outcome.error


@pytest.mark.parametrize(
    "claim", [make_claim("ftp://a.example"), make_claim("http://127.0.0.1", account_id=ACCOUNT + 1)]
)
def test_what_cannot_be_sent_is_an_outcome(claim: Claim) -> None:
    outcome = attempt(claim)

    assert (outcome.delivered, outcome.error_class) == (False, "internal")
    assert outcome.error
    assert SECRET not in outcome.error
