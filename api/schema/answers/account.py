"""The account: its usage, its keys, and its feeds."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from api.key_formats import ALL_SCOPES, KEY_FORMATS
from api.schema.answers.common import Count, Id, Instant, Url

Scope = Annotated[str, Meta(extra_json_schema={"enum": ALL_SCOPES})]
FormatName = Annotated[str, Meta(extra_json_schema={"enum": list(KEY_FORMATS)})]


class Account(TypedDict):
    """Who asks."""

    id: Id
    name: str
    created_at: Instant


class Used(TypedDict):
    """How much of a cap is used."""

    used: Count
    limit: Count


class Usage(TypedDict):
    """What an account uses, against its caps."""

    monitors: Used
    api_keys: Used


class AccountStatus(TypedDict):
    """The account and its usage."""

    account: Account
    usage: Usage


class ApiKey(TypedDict):
    """A key without its plain text."""

    id: Id
    label: str
    prefix: Annotated[str, Meta(description="The key's beginning, by which to know it.")]
    scopes: Annotated[list[Scope] | None, Meta(description="null: everything.")]
    created_at: Instant
    last_used_at: Instant | None
    format: NotRequired[Annotated[FormatName, Meta(description="In which it is answered; absent: native.")]]
    expires_at: NotRequired[Annotated[Instant, Meta(description="Of a rotated key: when it ends.")]]


class NewApiKey(ApiKey):
    """A key with its plain text, which is shown only once."""

    key: Annotated[str, Meta(pattern="^(umk_live|uptime)_")]


class FeedUrls(TypedDict):
    """The account's URLs that need no key."""

    incident_feed_url: Url
    shared_url: Annotated[Url | None, Meta(description="null while there is no shared page.")]
