"""Accounts and their keys in the native format."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Account, ApiKey
from accounts.scopes import SCOPES
from api import fields
from probes.instants import rfc3339

SHORTEST_LABEL = 3
LONGEST_LABEL = 100


class KeyInput(serializers.Serializer[ApiKey]):
    """The body that creates a key."""

    label = fields.Text(shortest=SHORTEST_LABEL, longest=LONGEST_LABEL)  # type: ignore[assignment]  # a Field has one, too
    scopes = fields.Choices(list(SCOPES), required=False, allow_null=True)


def key_fields(data: dict[str, Any]) -> dict[str, Any]:
    """The fields of a new key; raises a refusal that names the first that is wrong."""
    serializer = KeyInput(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def key_body(key: ApiKey) -> dict[str, Any]:
    """A key without its plain text; `expires_at` only where it was rotated."""
    body = {
        "id": key.pk,
        "label": key.label,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "created_at": rfc3339(key.created_at),
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at else None,
    }
    return body | ({"expires_at": rfc3339(key.expires_at)} if key.expires_at else {})


def account_body(account: Account) -> dict[str, Any]:
    """An account in its envelope."""
    return {"account": {"id": account.pk, "name": account.name, "created_at": rfc3339(account.created_at)}}
