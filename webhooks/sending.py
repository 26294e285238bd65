"""The channel of webhooks: one HTTP try of a delivery, and what was answered. No database here."""

from __future__ import annotations

from http import HTTPStatus

from probes import USER_AGENT
from probes.curl import Curl
from probes.errors import ErrorClass
from probes.fetch import FetchRequest, FetchResponse, fetch
from probes.url import BadUrl, parse_http_url
from probes.vault import VaultError
from webhooks.body import body_of
from webhooks.claiming import Claim
from webhooks.outcome import AttemptOutcome
from webhooks.sealing import open_secret
from webhooks.signing import signature_headers

TIMEOUT_MS = 10_000
"""Over all of it: names, connection, answer."""
READ_BYTES = 16 * 1024
KEPT_BYTES = 1024
BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""The answers whose `Retry-After` is heeded."""
HEADERS = {"Content-Type": "application/json", "User-Agent": USER_AGENT}


async def attempt(curl: Curl, claim: Claim) -> AttemptOutcome:
    """Send a claimed delivery, once. Trouble of any kind is an outcome, never an exception."""
    try:
        request = _request(claim)
    except (BadUrl, VaultError) as error:
        return AttemptOutcome(duration_ms=0, error_class=ErrorClass.INTERNAL, error=str(error))
    return _outcome(await fetch(curl, request))


def _request(claim: Claim) -> FetchRequest:
    body = body_of(claim.payload, delivery_id=claim.delivery_id, attempt=claim.attempt)
    secrets = [open_secret(sealed, claim.account_id) for sealed in claim.sealed_secrets]
    signatures = signature_headers(secrets, claim.delivery_id, body, claim.claimed_at)
    return FetchRequest(
        url=parse_http_url(claim.url),
        method="POST",
        headers=[*HEADERS.items(), *signatures.items()],
        body=body,
        timeout_ms=TIMEOUT_MS,
        max_body_bytes=READ_BYTES,
    )


def _outcome(response: FetchResponse) -> AttemptOutcome:
    return AttemptOutcome(
        duration_ms=round(response.timings.total_ms),
        status_code=response.status_code,
        error_class=response.error_class or "",
        error=response.error,
        response_head=_text(response.body[:KEPT_BYTES]),
        retry_after=(response.header("Retry-After") or "") if response.status_code in BUSY else "",
    )


def _text(body: bytes) -> str:
    # PostgreSQL stores no NUL in text.
    return body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
