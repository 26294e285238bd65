"""Which ports count as tried: those that regions are to look at, at the addresses that were checked."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from monitors.models import PortTried
from tests.api.conftest import ApiClient

HOST = "192.88.98.7"
TCP = {"name": "port", "url": f"{HOST}:443", "type": "tcp"}


def tried() -> list[int]:
    return list(PortTried.objects.filter(host=HOST).order_by("port").values_list("port", flat=True))


def test_a_host_is_looked_up_once(alice: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ask = [], socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **named: Any) -> Any:
        asked.append(host)
        return ask(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert alice.post("/monitors", TCP)[0] == 200
    assert (asked.count(HOST), tried()) == (1, [443])


def test_each_format_counts(alice: ApiClient, flat_alice: ApiClient, tcp_alice: ApiClient) -> None:
    assert alice.post("/monitors", TCP | {"type": "ssl", "url": f"{HOST}:1000"})[0] == 200
    assert flat_alice.post("/monitors", {"name": "port", "type": "port", "target": f"{HOST}:80"})[0] == 201
    assert tcp_alice.post("", {"name": "port", "host": HOST, "port": 2000})[0] == 201
    assert tried() == [80, 1000, 2000]


def test_so_does_an_edit_of_the_port(alice: ApiClient, tcp_alice: ApiClient) -> None:
    made = alice.post("/monitors", TCP)[1]["monitor"]
    alice.put(f"/monitors/{made['id']}", {"name": "new"})
    alice.put(f"/monitors/{made['id']}", {"url": f"{HOST}:80"})
    other = tcp_alice.post("", {"name": "port", "host": HOST, "port": 2000})[1]["data"]
    tcp_alice.put(f"/{other['id']}", {"port": 2001})
    assert tried() == [80, 443, 2000, 2001]


def test_what_agents_look_at_does_not_before_it_is_handed_to_the_regions(alice: ApiClient) -> None:
    server = alice.post("/servers", {"name": "web-01"})[1]["id"]
    made = alice.post("/monitors", TCP | {"servers": [server]})[1]["monitor"]
    assert tried() == []
    assert alice.put(f"/monitors/{made['id']}", {"servers": []})[0] == 200
    assert tried() == [443]
