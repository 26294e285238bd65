"""The signatures of a delivery, and the secrets behind them. Pure.

Both signatures are keyed by the UTF-8 bytes of the whole secret, `whs_live_` included:

- `X-UptimeMonitoring-Signature`: hex HMAC-SHA256 of the body (the native contract, "Signature verification").
- `webhook-signature`: base64 HMAC-SHA256 of `id.timestamp.body` (Standard Webhooks 1.0.0,
  https://github.com/standard-webhooks/standard-webhooks). Its libraries take a secret as `whsec_` and the
  base64 of the key, so they take ours as `"whsec_" + base64(secret)`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from accounts.tokens import random_text

SECRET_SCHEME = "whs_live_"  # noqa: S105
SECRET_LENGTH = 40


def new_secret() -> str:
    """A fresh `whs_live_…`, of 238 bits."""
    return SECRET_SCHEME + random_text(SECRET_LENGTH)


def signature(secret: str, body: bytes) -> str:
    """The contract's signature of `body`: 64 lower-case hex digits."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standard_signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The Standard Webhooks signature, `v1,` and base64; `timestamp` in Unix seconds."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def signature_headers(secrets: Sequence[str], delivery_id: int, body: bytes, now: datetime) -> dict[str, str]:
    """All that proves to a receiver that `body` is ours, and sent `now`.

    The contract's header has room for one signature, which is by the first of `secrets`; the standard's
    holds one by each. `webhook-id` is the `delivery_id` of the body, the same for every attempt.
    """
    message_id, timestamp = str(delivery_id), int(now.timestamp())
    return {
        "X-UptimeMonitoring-Signature": signature(secrets[0], body),
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            standard_signature(secret, message_id, timestamp, body) for secret in secrets
        ),
    }
