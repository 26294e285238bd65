"""What a key may be limited to. A key without scopes may do everything that its account may."""

from __future__ import annotations

from collections.abc import Sequence

SCOPES = (
    "monitors:read",
    "monitors:write",
    "webhooks:read",
    "webhooks:write",
    "incidents:read",
    "account:read",
    "account:write",
    "servers:read",
    "servers:write",
)
"""`webhooks` also reads secrets; `account` is keys, feeds and usage; `servers` are those with an agent."""


def allows(granted: Sequence[str] | None, needed: str) -> bool:
    """Whether a key with `granted` scopes may do what needs `needed`; to write includes to read."""
    if granted is None or needed in granted:
        return True
    resource, _, action = needed.partition(":")
    return action == "read" and f"{resource}:write" in granted
