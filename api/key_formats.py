"""The wire formats that a key may be made for: what it begins with, and what it may be limited to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.keys import ORDINARY, KeyKind
from accounts.scopes import SCOPES
from api.errors import Refusal


@dataclass(frozen=True)
class KeyFormat:
    """One format. A key that is limited to nothing may do `unlimited`; null: everything."""

    kind: KeyKind
    scopes: tuple[str, ...]
    unlimited: tuple[str, ...] | None = None


TCP_SCOPES = ("tcp-monitors:read", "tcp-monitors:write")
NATIVE = "native"
FLAT = "flat"

KEY_FORMATS = {
    NATIVE: KeyFormat(ORDINARY, SCOPES),
    FLAT: KeyFormat(KeyKind(format=FLAT), SCOPES),
    "tcp-monitors": KeyFormat(KeyKind("uptime_", "tcp-monitors"), TCP_SCOPES, unlimited=TCP_SCOPES),
}
ALL_SCOPES = list(dict.fromkeys(scope for each in KEY_FORMATS.values() for scope in each.scopes))


def scopes_of(name: str, given: Sequence[str] | None) -> Sequence[str] | None:
    """The scopes of a new key of this format; refuses with 400 those that it cannot have."""
    format_ = KEY_FORMATS[name]
    if given is None:
        return format_.unlimited
    if not set(given) <= set(format_.scopes):
        raise Refusal(400, f"scopes must be a list of some of: {', '.join(format_.scopes)}")
    return given
