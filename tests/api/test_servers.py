"""Servers over the native API: made with a token that is shown once, assigned to monitors, removed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.models import Server
from accounts.servers import SERVERS_PER_ACCOUNT
from tests.api.conftest import ApiClient
from tests.make import NOW, server

HTTP = {"name": "intranet", "url": "http://10.0.0.5/", "type": "http"}
UNKNOWN = (400, {"error": "servers must be ids of your servers"})


def test_a_server_is_made_shown_renamed_and_removed(alice: ApiClient) -> None:
    status, made = alice.post("/servers", {"name": "web-01"})
    assert status == 200
    token = made.pop("enrolment_token")
    assert re.fullmatch("uet_[0-9a-f]{64}", token)
    assert made.pop("enrolment_token_expires_at") > made["created_at"]
    assert (made["status"], made["hostname"], made["monitors"]) == ("pending", None, [])
    assert alice.get(f"/servers/{made['id']}") == (200, made)
    assert token not in str(alice.get("/servers"))
    assert alice.put(f"/servers/{made['id']}", {"name": "web-02"}) == (200, made | {"name": "web-02"})
    assert alice.delete(f"/servers/{made['id']}") == (204, None)
    assert alice.get("/servers") == (200, [])


def test_the_list_holds_ones_own(alice: ApiClient, bob: ApiClient) -> None:
    server(bob.account)
    mine = [server(alice.account).pk for _ in range(2)]
    assert [each["id"] for each in alice.get("/servers")[1]] == mine


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 7}, {"name": "x" * 101}, {"name": "a\nb"}])
def test_a_bad_name_is_refused(alice: ApiClient, body: Any) -> None:
    assert alice.post("/servers", body)[0] == 400
    assert not Server.objects.exists()


def test_an_account_holds_so_many(alice: ApiClient) -> None:
    Server.objects.bulk_create(
        Server(account=alice.account, name="web", created_at=NOW) for _ in range(SERVERS_PER_ACCOUNT)
    )
    assert alice.post("/servers", {"name": "one more"}) == (409, {"error": "server limit reached"})


def test_another_token_can_be_had(alice: ApiClient) -> None:
    _, made = alice.post("/servers", {"name": "web-01"})
    status, again = alice.post(f"/servers/{made['id']}/token", None)
    assert status == 200
    assert again["enrolment_token"] != made["enrolment_token"]


def test_a_monitor_names_those_that_look_at_it_and_may_be_private_then(alice: ApiClient) -> None:
    ids = [server(alice.account).pk for _ in range(2)]
    assert alice.post("/monitors", HTTP)[0] == 400
    status, body = alice.post("/monitors", HTTP | {"servers": [*reversed(ids), ids[0]]})
    assert (status, body["monitor"]["servers"]) == (200, ids)
    path = f"/monitors/{body['monitor']['id']}"
    assert alice.put(path, {"name": "renamed"})[1]["monitor"]["servers"] == ids
    assert alice.put(path, {"servers": ids[:1]})[1]["monitor"]["servers"] == ids[:1]
    assert alice.get("/monitors")[1][0]["servers"] == ids[:1]
    refused = "url rejected: ip 10.0.0.5 is in a blocked range"
    assert alice.put(path, {"servers": []}) == (400, {"error": refused})
    status, body = alice.put(path, {"servers": [], "url": "http://127.0.0.1:9/"})
    assert status == 200
    assert "servers" not in body["monitor"]


def test_servers_of_others_are_unknown(alice: ApiClient, bob: ApiClient) -> None:
    mine, theirs = server(alice.account).pk, server(bob.account).pk
    for ids in ([theirs], [mine, theirs], [theirs + 999]):
        assert alice.post("/monitors", HTTP | {"servers": ids}) == UNKNOWN
    _, body = alice.post("/monitors", HTTP | {"servers": [mine]})
    path = f"/monitors/{body['monitor']['id']}"
    assert alice.put(path, {"servers": [theirs]}) == UNKNOWN
    assert alice.get(path)[1]["monitor"]["servers"] == [mine]
    assert len(alice.get("/monitors")[1]) == 1


@pytest.mark.parametrize("ids", ["1", [True], ["1"], [0], [-1], [2**63], list(range(1, 102)), {"1": 1}, None])
def test_what_is_no_list_of_ids_is_refused(alice: ApiClient, ids: Any) -> None:
    assert alice.post("/monitors", HTTP | {"servers": ids})[0] == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"type": "ping", "url": "10.0.0.5"}, "servers cannot look at ping monitors"),
        ({"type": "tcp", "url": "http://10.0.0.5/"}, "url is invalid: "),
        (
            {"http_auth_type": "basic", "http_auth_username": "a", "http_auth_password": "b"},
            "servers cannot look at monitors with credentials",
        ),
    ],
)
def test_what_agents_cannot_look_at_is_refused(alice: ApiClient, body: dict[str, Any], message: str) -> None:
    status, answer = alice.post("/monitors", HTTP | {"servers": [server(alice.account).pk]} | body)
    assert status == 400
    assert answer["error"].startswith(message)


def test_the_only_server_of_a_monitor_stays(alice: ApiClient) -> None:
    ids = [server(alice.account).pk for _ in range(2)]
    _, body = alice.post("/monitors", HTTP | {"servers": ids})
    assert alice.delete(f"/servers/{ids[0]}") == (204, None)
    assert alice.delete(f"/servers/{ids[1]}") == (409, {"error": "server is the only one of a monitor"})
    alice.delete(f"/monitors/{body['monitor']['id']}")
    assert alice.delete(f"/servers/{ids[1]}") == (204, None)
