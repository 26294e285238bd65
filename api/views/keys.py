"""/keys: list, create, rotate, revoke. A key's plain text is in the answer that made it, and never again."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.keys import KeyLimitReached, LastKey, add_key, revoke_key, rotate_key
from accounts.models import Account, ApiKey
from api.base import View, body_of, path_id
from api.dialects.native.account import key_body, key_fields
from api.errors import Refusal


class KeyList(View):
    resource = "account"

    def get(self, request: Request) -> Response:
        """The account's keys that are valid, oldest first."""
        keys = self.account.api_keys.valid(timezone.now()).order_by("pk")
        return Response([key_body(key) for key in keys])

    def post(self, request: Request) -> Response:
        """Create a key."""
        fields = key_fields(body_of(request))
        try:
            key, plaintext = add_key(self.account, now=timezone.now(), **fields)
        except KeyLimitReached as error:
            raise Refusal(409, "key limit reached") from error
        return Response(key_body(key) | {"key": plaintext})


class KeyDetail(View):
    resource = "account"

    def delete(self, request: Request, id_text: str) -> Response:
        """Revoke a key, at once."""
        try:
            revoke_key(find_key(self.account, id_text))
        except LastKey as error:
            raise Refusal(409, "cannot delete last key") from error
        return Response(status=204)


class KeyRotation(View):
    resource = "account"

    def post(self, request: Request, id_text: str) -> Response:
        """Replace a key, once; the old one stays valid for five minutes."""
        try:
            key, plaintext = rotate_key(find_key(self.account, id_text), timezone.now())
        except ApiKey.DoesNotExist as error:
            raise Refusal(404, "key not found") from error
        return Response(key_body(key) | {"key": plaintext})


def find_key(account: Account, id_text: str) -> ApiKey:
    """The account's valid key with this id; refuses with the contract's 400 and 404."""
    key_id = path_id(id_text, "invalid key ID")
    key = account.api_keys.valid(timezone.now()).select_related("account").filter(pk=key_id).first()
    if key is None:
        raise Refusal(404, "key not found")
    return key
