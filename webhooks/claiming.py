"""Claiming what is due: each delivery to one claim at a time, each receiver a few at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

LEASE = timedelta(seconds=30)
"""Longer than an attempt and its record can take; a delivery whose worker died is due again after it."""
MOST_PER_RECEIVER = 8


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery, ours alone until `lease_until`, and all that its next attempt needs."""

    delivery_id: int
    webhook_id: int
    account_id: int
    attempt: int
    """1 for the first. The same again when an attempt was lost with its worker."""
    url: str = field(repr=False)
    sealed_secrets: list[str] = field(repr=False)
    """All that sign, the newest first."""
    payload: str = field(repr=False)
    claimed_at: datetime
    lease_until: datetime


# A receiver is one account's host and port: many webhooks of an account may lead to one server.
# Within a receiver the leased rows are ranked first, so a place says how many would be under way with this
# one; taking low places first gives every receiver its turn before any gets a second. Two claims at the same
# instant do not see each other's leases, and may together exceed the limit; the row lock, with the conditions
# checked again under it, still gives no delivery to both.
CLAIM = """
WITH open AS (
    SELECT d.id, d.next_attempt_at, d.account_id, lower(split_part(w.url, '/', 3)) AS host,
           coalesce(d.lease_until > %(now)s, false) AS leased
    FROM webhooks_delivery d JOIN webhooks_webhook w ON w.id = d.webhook_id
    WHERE d.status IN ('pending', 'retrying') AND d.next_attempt_at <= %(now)s
), ranked AS (
    SELECT id, leased, row_number() OVER (
        PARTITION BY account_id, host ORDER BY leased DESC, next_attempt_at, id
    ) AS place
    FROM open
), chosen AS (
    SELECT d.id
    FROM webhooks_delivery d JOIN ranked r ON r.id = d.id
    WHERE r.place <= %(most_per_receiver)s AND NOT r.leased
      AND d.status IN ('pending', 'retrying') AND d.next_attempt_at <= %(now)s
      AND (d.lease_until IS NULL OR d.lease_until <= %(now)s)
    ORDER BY r.place, d.next_attempt_at, d.id
    LIMIT %(limit)s
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE webhooks_delivery d SET lease_until = %(lease_until)s
FROM chosen, webhooks_webhook w, webhooks_event e
WHERE d.id = chosen.id AND w.id = d.webhook_id AND e.id = d.event_id
RETURNING d.id, d.webhook_id, d.account_id, d.attempt_count + 1, w.url,
          ARRAY[w.secret] || CASE WHEN w.previous_secret_until > %(now)s THEN ARRAY[w.previous_secret] END,
          e.payload, %(now)s::timestamptz, d.lease_until
"""


def claim_deliveries(now: datetime, limit: int) -> list[Claim]:
    """Lease up to `limit` deliveries that are due `now`, at most `MOST_PER_RECEIVER` under way to a receiver.

    In no order. The attempt's number is fixed here, and counted only when it is recorded.
    """
    limits = {"limit": limit, "most_per_receiver": MOST_PER_RECEIVER}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"now": now, "lease_until": now + LEASE, **limits})
        return [Claim(*row) for row in cursor.fetchall()]
