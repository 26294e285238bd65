"""A customer's own servers: how one is made, enrolled, known again, and seen.

Whoever makes a server gets a token that is good once, for a day, to put on the machine. The agent there
changes it for a key of its own, which nobody else ever sees.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction

from accounts.models import Account, Server
from accounts.tokens import digest_of

SERVERS_PER_ACCOUNT = 100
TOKEN_SCHEME = "uet_"  # noqa: S105  # what a token begins with
KEY_SCHEME = "uak_"
SECRET_BYTES = 32
TOKEN_LIFETIME = timedelta(days=1)
SILENCE = timedelta(seconds=90)
"""A server not heard of for longer has no say: three heartbeats of its agent were missed."""
GONE_AFTER = timedelta(minutes=10)
"""A server not heard of for longer is gone, which is shown and told."""


class ServerLimitReached(Exception):
    """The account has `SERVERS_PER_ACCOUNT` servers."""


class ServerStatus(StrEnum):
    PENDING = "pending"
    """It was never enrolled."""
    ALIVE = "alive"
    SILENT = "silent"
    GONE = "gone"


def status_of(server: Server, now: datetime) -> ServerStatus:
    """How the server's agent is doing."""
    if server.enrolled_at is None:
        return ServerStatus.PENDING
    if is_alive(server, now):
        return ServerStatus.ALIVE
    return ServerStatus.GONE if server.gone_since else ServerStatus.SILENT


def is_alive(server: Server, now: datetime) -> bool:
    """Whether the server was heard of lately, so that it has a say."""
    return server.last_seen_at is not None and server.last_seen_at > now - SILENCE


@transaction.atomic
def add_server(account: Account, name: str, now: datetime) -> tuple[Server, str]:
    """A server to be enrolled, and its token in plain text; raises `ServerLimitReached`."""
    Account.objects.select_for_update().get(pk=account.pk)
    if account.servers.count() >= SERVERS_PER_ACCOUNT:
        raise ServerLimitReached
    server = Server.objects.create(account=account, name=name, created_at=now)
    return server, renew_token(server, now)


def renew_token(server: Server, now: datetime) -> str:
    """A token to enrol the server with, again or at last; one from before is good no more."""
    token = TOKEN_SCHEME + secrets.token_hex(SECRET_BYTES)
    server.token_digest, server.token_expires_at = digest_of(token), now + TOKEN_LIFETIME
    server.save(update_fields=["token_digest", "token_expires_at"])
    return token


def enrol(token: str, now: datetime) -> tuple[int, str] | None:
    """Change a token for a key: the server's id and the key's plain text. None: it is good no more.

    The update finds its row by the token that it takes away, so of two that come with it one succeeds.
    """
    key = KEY_SCHEME + secrets.token_hex(SECRET_BYTES)
    fresh = Server.objects.filter(token_digest=digest_of(token), token_expires_at__gt=now)
    server = fresh.first()
    taken = fresh.update(token_digest=None, token_expires_at=None, key_digest=digest_of(key), enrolled_at=now)
    return (server.pk, key) if server and taken else None


def find_server(key: str) -> Server | None:
    """The server whose agent has this key, with its account."""
    # What is compared is a digest: how long that takes tells nothing of the key.
    return Server.objects.filter(key_digest=digest_of(key)).select_related("account").first()


def note_seen(server: Server, hostname: str, agent_version: str, now: datetime) -> None:
    """Note that the server's agent spoke, and what it says of itself."""
    Server.objects.filter(pk=server.pk).update(
        last_seen_at=now, hostname=hostname, agent_version=agent_version
    )
