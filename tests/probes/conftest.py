"""Real listeners on 127.0.0.1, for all tests of this package."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pycurl
import pytest
import trustme

from probes import curl
from probes.guard import AddressPolicy
from tests.probes.listeners import Listener


@pytest.fixture
def loopback() -> AddressPolicy:
    """The policy of an installation that may probe itself."""
    return AddressPolicy.of(["127.0.0.0/8", "::1/128"])


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server whose answer each test scripts."""
    with Listener() as server:
        yield server


@pytest.fixture
def closed_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose backlog is full: it neither accepts nor refuses."""
    with ExitStack() as open_sockets:
        server = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = open_sockets.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield int(server.getsockname()[1])


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """A certificate authority that probes trust, and no other."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setattr(curl, "ALWAYS", (*curl.ALWAYS, (pycurl.CAINFO, str(tmp_path / "ca.pem"))))
    return made
