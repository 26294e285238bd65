"""Which servers look at a monitor: the account's own, and never fewer than one once there is one."""

from __future__ import annotations

import pytest

from accounts.models import Account, Server
from incidents.agents import heed_agent
from monitors.assignments import (
    OnlyServer,
    UnknownServer,
    assign,
    latest_reports,
    remove_server,
    server_ids,
)
from monitors.models import Monitor
from tests.incidents.test_races import at_once
from tests.make import NOW, account, monitor, result, server

pytestmark = pytest.mark.django_db


class Estate:
    """An account with a monitor and two servers that look at it."""

    def __init__(self) -> None:
        self.owner: Account = account()
        self.monitor: Monitor = monitor(self.owner)
        self.servers: list[Server] = [server(self.owner, name=name) for name in ("web-01", "web-02")]
        assign(self.monitor, [each.pk for each in self.servers])

    @property
    def ids(self) -> list[int]:
        return server_ids(Monitor.objects.get(pk=self.monitor.pk))


def test_an_assignment_replaces_the_one_before_and_says_whether_it_did() -> None:
    estate = Estate()
    first, second = (each.pk for each in estate.servers)
    assert estate.ids == [first, second]
    assert not assign(estate.monitor, [second, first])
    assert assign(estate.monitor, [second])
    assert estate.ids == [second]
    assert assign(estate.monitor, [])
    assert estate.ids == []


def test_what_is_not_ones_own_is_unknown_and_changes_nothing() -> None:
    estate = Estate()
    theirs = server(account("bob")).pk
    for ids in ([theirs], [estate.servers[0].pk, theirs], [theirs + 999]):
        with pytest.raises(UnknownServer):
            assign(estate.monitor, ids)
    assert estate.ids == [each.pk for each in estate.servers]


def test_the_newest_of_each_server() -> None:
    estate = Estate()
    for each, outcome in zip(estate.servers, ("down", "up"), strict=True):
        look = result(estate.monitor, outcome, f"server-{each.pk}")
        heed_agent(each, each.name, "1", [look], NOW)
    reports = latest_reports(estate.monitor)
    assert [(each.assignment.server.hostname, each.outcome) for each in reports] == [
        *(("web-01", "down"), ("web-02", "up"))
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(10))
def test_of_two_that_are_removed_at_once_one_stays(_: int) -> None:
    estate, refused = Estate(), list[Server]()

    def remove(each: Server) -> None:
        try:
            remove_server(each)
        except OnlyServer:
            refused.append(each)

    at_once(*(lambda each=each: remove(each) for each in estate.servers))
    assert estate.ids == [each.pk for each in refused]
    assert len(refused) == 1
