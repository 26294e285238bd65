"""Accounts, their API keys, feed tokens and servers. A key's secret is stored only as its SHA-256."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Account(models.Model):
    """The owner of monitors, keys and webhooks. Another account's object does not exist for it."""

    name = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    suspended_at = models.DateTimeField(null=True, blank=True)
    monitor_limit = models.PositiveIntegerField(default=50)
    key_limit = models.PositiveIntegerField(default=10)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    """How many the API takes; 0: any number, null: as the settings say for all."""

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def valid(self, now: datetime) -> ApiKeyQuerySet:
        """Keys neither revoked nor past their end at `now`."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))

    def lasting(self) -> ApiKeyQuerySet:
        """Keys that were not rotated: those that count against the limit, and keep an account reachable."""
        return self.filter(expires_at=None)


class ApiKey(models.Model):
    """A credential of an account. `prefix` finds it and is safe to show; `digest` proves it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_keys")
    label = models.CharField(max_length=100)
    prefix = models.CharField(max_length=32, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    """From then on the key is refused: set when it is rotated, with a grace."""
    scopes = ArrayField(models.CharField(max_length=64), null=True, blank=True)
    """What it may do, as `accounts.scopes` understands it; null: everything."""
    format = models.CharField(max_length=32, blank=True)
    """The wire format in which it is answered, as the API names it; empty: the API's own."""

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.label} ({self.prefix}…)"


class FeedToken(models.Model):
    """A credential in a URL: whoever has it may read. `digest` finds it, `sealed` shows it again."""

    class Kind(models.TextChoices):
        INCIDENTS = "incidents"
        """The Atom feed; every account has it."""
        SHARED = "shared"
        """The page for people without a key; only while the account wants one."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="feed_tokens")
    kind = models.CharField(max_length=16, choices=Kind)
    digest = models.CharField(max_length=64, unique=True)
    sealed = models.CharField(max_length=512)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "kind"], name="one_feed_token_per_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.account_id}"


class Server(models.Model):
    """A customer's own machine, whose agent looks at monitors from within their network.

    Both credentials are kept as digests. The enrolment token is for once: using it sets the key.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="servers")
    name = models.CharField(max_length=100)
    token_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    token_expires_at = models.DateTimeField(null=True, blank=True)
    key_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    hostname = models.CharField(max_length=255, blank=True)
    agent_version = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    enrolled_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    gone_since = models.DateTimeField(null=True, blank=True)
    """When it was last seen, once that is long ago; null while it is not."""

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"
