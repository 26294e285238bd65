"""An account that has monitors made on port after port of a host is suspended; an operator can lift that."""

from __future__ import annotations

import pytest

from accounts.models import Account
from monitors.models import PortTried
from monitors.portscan import MOST_PORTS, WINDOW, note_port
from tests.make import NOW, account, seconds

pytestmark = pytest.mark.django_db

PUBLIC_HOST = "192.88.98.7"


def scan(owner: Account, count: int, host: str = PUBLIC_HOST, every: float = 1) -> bool:
    """Monitors on `count` ports; whether the account is suspended then."""
    for number in range(count):
        note_port(owner, host, 1_000 + number, [host], NOW + seconds(number * every))
    return Account.objects.get(pk=owner.pk).suspended_at is not None


def test_one_port_too_many_of_one_host_suspends() -> None:
    owner, other = account(), account("bob")
    assert not scan(owner, MOST_PORTS)
    assert scan(owner, MOST_PORTS + 1)
    assert Account.objects.get(pk=other.pk).suspended_at is None


def test_the_same_ports_again_or_of_other_hosts_are_no_scan() -> None:
    owner = account()
    for _ in range(3):
        assert not scan(owner, MOST_PORTS)
    assert not scan(owner, MOST_PORTS, "192.88.98.8")


def test_ports_over_a_longer_time_are_no_scan() -> None:
    owner = account()
    assert not scan(owner, 30, every=WINDOW.total_seconds() / MOST_PORTS + 1)
    assert PortTried.objects.count() <= MOST_PORTS


def test_the_operators_own_networks_do_not_count() -> None:
    assert not scan(account(), 50, "127.0.0.1")
    assert not PortTried.objects.exists()
