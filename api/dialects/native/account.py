"""Accounts and their keys in the native format."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Account, ApiKey
from api import fields
from api.key_formats import ALL_SCOPES, KEY_FORMATS, NATIVE, scopes_of
from probes.instants import rfc3339

SHORTEST_LABEL = 3
LONGEST_LABEL = 100


class KeyInput(serializers.Serializer[ApiKey]):
    """The body that creates a key."""

    label = fields.Text(shortest=SHORTEST_LABEL, longest=LONGEST_LABEL)  # type: ignore[assignment]  # a Field has one, too
    scopes = fields.Choices(ALL_SCOPES, required=False, allow_null=True)
    format = fields.Choice(list(KEY_FORMATS), required=False)


def key_fields(data: dict[str, Any]) -> dict[str, Any]:
    """The fields of a new key; raises a refusal that names the first that is wrong."""
    serializer = KeyInput(data=data)
    serializer.is_valid(raise_exception=True)
    given = serializer.validated_data
    name = given.get("format", NATIVE)
    scopes = scopes_of(name, given.get("scopes"))
    return {"label": given["label"], "scopes": scopes, "kind": KEY_FORMATS[name].kind}


def key_body(key: ApiKey) -> dict[str, Any]:
    """A key without its plain text; `format` unless native, `expires_at` only where it was rotated."""
    body = {
        "id": key.pk,
        "label": key.label,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "created_at": rfc3339(key.created_at),
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at else None,
    }
    if key.format:
        body["format"] = key.format
    return body | ({"expires_at": rfc3339(key.expires_at)} if key.expires_at else {})


def account_body(account: Account) -> dict[str, Any]:
    """An account in its envelope."""
    return {"account": {"id": account.pk, "name": account.name, "created_at": rfc3339(account.created_at)}}
