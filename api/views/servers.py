"""/servers: the account's own servers, whose agents look at monitors."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account, Server
from accounts.servers import ServerLimitReached, add_server, renew_token
from api.base import View, body_of, path_id
from api.dialects.native.servers import server_body, server_name, token_body
from api.errors import Refusal
from monitors.assignments import OnlyServer, remove_server


class ServerList(View):
    resource = "servers"

    def get(self, request: Request) -> Response:
        """The account's servers, oldest first."""
        now = timezone.now()
        servers = self.account.servers.prefetch_related("assignments").order_by("pk")
        return Response([server_body(server, now) for server in servers])

    def post(self, request: Request) -> Response:
        """Make a server, and the token that its agent enrols with, once and within a day."""
        name, now = server_name(body_of(request)), timezone.now()
        try:
            server, token = add_server(self.account, name, now)
        except ServerLimitReached as error:
            raise Refusal(409, "server limit reached") from error
        return Response(token_body(server, token, now))


class ServerDetail(View):
    resource = "servers"

    def get(self, request: Request, id_text: str) -> Response:
        """A server."""
        return Response(server_body(find_server(self.account, id_text), timezone.now()))

    def put(self, request: Request, id_text: str) -> Response:
        """Rename a server."""
        server = find_server(self.account, id_text)
        server.name = server_name(body_of(request))
        server.save(update_fields=["name"])
        return Response(server_body(server, timezone.now()))

    def delete(self, request: Request, id_text: str) -> Response:
        """Remove a server; its agent is let in no more."""
        try:
            remove_server(find_server(self.account, id_text))
        except OnlyServer as error:
            raise Refusal(409, "server is the only one of a monitor") from error
        return Response(status=204)


class ServerToken(View):
    resource = "servers"

    def post(self, request: Request, id_text: str) -> Response:
        """Make another token; the agent that enrols with it takes the place of the one before."""
        server, now = find_server(self.account, id_text), timezone.now()
        return Response(token_body(server, renew_token(server, now), now))


def find_server(account: Account, id_text: str) -> Server:
    """The account's server with this id; refuses with 400 and 404."""
    server = account.servers.filter(pk=path_id(id_text, "invalid server ID")).first()
    if server is None:
        raise Refusal(404, "server not found")
    return server
