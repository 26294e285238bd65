"""Whom to tell: webhooks, events, deliveries, signing, retries. Knows nothing of monitors."""
