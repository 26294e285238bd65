"""Servers: a token is good once and for a day, a key is known by its digest, and silence is noticed."""

from __future__ import annotations

import pytest

from accounts.models import Server
from accounts.servers import (
    GONE_AFTER,
    SERVERS_PER_ACCOUNT,
    SILENCE,
    TOKEN_LIFETIME,
    ServerLimitReached,
    add_server,
    enrol,
    find_server,
    note_seen,
    renew_token,
    status_of,
)
from tests.incidents.test_races import at_once
from tests.make import NOW, account, seconds, server

pytestmark = pytest.mark.django_db


def test_a_token_is_changed_for_a_key_once() -> None:
    made, token = add_server(account(), "web-01", NOW)
    enrolled = enrol(token, NOW)
    assert enrolled
    assert enrolled[0] == made.pk
    assert find_server(enrolled[1]) == made
    assert enrol(token, NOW) is None
    assert find_server(enrolled[1]) == made


def test_neither_secret_is_stored() -> None:
    _, token = add_server(account(), "web-01", NOW)
    stored = str(Server.objects.values_list().get())
    assert token not in stored
    enrolled = enrol(token, NOW)
    assert enrolled
    assert enrolled[1] not in str(Server.objects.values_list().get())


@pytest.mark.parametrize(("after", "is_good"), [(0, True), (TOKEN_LIFETIME.total_seconds(), False)])
def test_a_token_is_good_for_a_day(after: float, is_good: bool) -> None:
    _, token = add_server(account(), "web-01", NOW)
    assert (enrol(token, NOW + seconds(after)) is not None) is is_good


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(10))
def test_of_two_that_come_with_one_token_one_is_enrolled(_: int) -> None:
    token = add_server(account(), "web-01", NOW)[1]
    enrolled: list[tuple[int, str] | None] = []
    at_once(*[lambda: enrolled.append(enrol(token, NOW))] * 2)
    (only,) = [each for each in enrolled if each]
    assert find_server(only[1])


def test_a_new_token_voids_the_one_before_and_its_key_the_key_before() -> None:
    made, first = add_server(account(), "web-01", NOW)
    enrolled = enrol(first, NOW)
    unused, second = renew_token(made, NOW), renew_token(made, NOW)
    assert enrol(unused, NOW) is None
    assert enrolled
    assert find_server(enrolled[1]) == made
    again = enrol(second, NOW)
    assert again
    assert (find_server(enrolled[1]), find_server(again[1])) == (None, made)


@pytest.mark.parametrize("secret", ["", "uak_nobody", "\udcff", "\0"])
def test_what_is_no_credential_opens_nothing(secret: str) -> None:
    server(account(), seen=None)
    assert find_server(secret) is None
    assert enrol(secret, NOW) is None


def test_an_account_holds_so_many() -> None:
    owner = account()
    Server.objects.bulk_create(
        Server(account=owner, name="web", created_at=NOW) for _ in range(SERVERS_PER_ACCOUNT)
    )
    with pytest.raises(ServerLimitReached):
        add_server(owner, "one more", NOW)
    add_server(account("bob"), "another's", NOW)


@pytest.mark.parametrize(
    ("fields", "after", "status"),
    [
        ({"enrolled_at": None, "seen": None}, 0, "pending"),
        ({"seen": None}, 0, "silent"),
        ({}, 0, "alive"),
        ({}, SILENCE.total_seconds() - 1, "alive"),
        ({}, SILENCE.total_seconds(), "silent"),
        ({"gone_since": NOW}, GONE_AFTER.total_seconds(), "gone"),
        ({"gone_since": NOW, "seen": NOW + seconds(900)}, 900, "alive"),
    ],
)
def test_what_is_shown_of_one(fields: dict[str, object], after: float, status: str) -> None:
    assert status_of(server(account(), **fields), NOW + seconds(after)) == status  # type: ignore[arg-type]


def test_what_an_agent_says_of_itself_is_kept() -> None:
    made = server(account(), seen=None)
    note_seen(made, "web-01.prod", "1.2", NOW)
    made.refresh_from_db()
    assert (made.hostname, made.agent_version, made.last_seen_at) == ("web-01.prod", "1.2", NOW)
