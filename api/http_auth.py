"""Credentials of a monitor of http: taken once, sealed for their account, and never shown again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.conf import settings

from api.errors import Refusal
from probes.credentials import basic, seal_header
from probes.fetch import check_header
from probes.vault import Vault

AUTH_TYPES = {
    "none": (),
    "basic": ("http_auth_username", "http_auth_password"),
    "header": ("http_auth_header", "http_auth_value"),
}
"""The types, and the fields that each needs."""
CREDENTIALS = [name for names in AUTH_TYPES.values() for name in names]


def auth_options(given: Mapping[str, Any], account_id: int) -> dict[str, Any]:
    """What `given` sets of a monitor's options, None to unset; empty where it says nothing of it."""
    type_ = given.get("http_auth_type")
    if type_ is None:
        _refuse_any(given, CREDENTIALS, "http_auth_type is required with {name}")
        return {}
    for name in AUTH_TYPES[type_]:
        if name not in given:
            raise Refusal(400, f"{name} is required")
    others = [name for name in CREDENTIALS if name not in AUTH_TYPES[type_]]
    _refuse_any(given, others, f"{{name}} does not fit http_auth_type {type_}")
    if type_ == "none":
        return {"auth": None, "auth_type": None}
    header = _header(type_, *(given[name] for name in AUTH_TYPES[type_]))
    sealed = seal_header(Vault(settings.ENCRYPTION_KEYS), account_id, *header)
    return {"auth": msgspec.to_builtins(sealed), "auth_type": type_}


def shown_auth(options: Mapping[str, Any]) -> dict[str, Any]:
    """What may be told of a monitor's credentials."""
    return {
        "http_auth_type": options.get("auth_type", "none"),
        "http_auth_configured": "auth" in options,
    }


def _header(type_: str, name: str, secret: str) -> tuple[str, str]:
    """Name and value of the header that carries the credentials; refuses what cannot be one."""
    if type_ == "basic":
        if ":" in name:  # RFC 7617, section 2: it would end the name
            raise Refusal(400, "http_auth_username must not contain a colon")
        return "Authorization", basic(name, secret)
    try:
        check_header(name, secret)
    except ValueError as error:
        raise Refusal(400, f"http_auth_header is invalid: {error}") from error
    return name, secret


def _refuse_any(given: Mapping[str, Any], names: list[str], message: str) -> None:
    for name in names:
        if name in given:
            raise Refusal(400, message.format(name=name))
