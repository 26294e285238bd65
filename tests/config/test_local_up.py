"""What `make up` prepares, and what it refuses."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from config.local import folder, up
from config.local.paths import Paths


def test_a_taken_port_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "PORT_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(folder.CannotStart, match=f"{port}.*UPQUORUM_PORT"):
            up.wait_for_port(port)
    up.wait_for_port(port)


def test_servers_that_the_environment_names_are_not_embedded(tmp_path: Path) -> None:
    assert up.embedded_servers(Paths(tmp_path)) == []  # the tests' own servers are in the environment
    assert not any(tmp_path.iterdir())


def test_the_broker_is_embedded_when_nothing_names_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("UPQUORUM_REDIS_URL")
    assert [program.name for program in up.embedded_servers(Paths(tmp_path))] == ["redis"]


def test_children_are_told_where_everything_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "environ", {})
    paths = Paths(tmp_path)
    up.tell_children(paths, 8000)
    assert os.environ["UPQUORUM_DATABASE_URL"] == paths.database_url
    assert os.environ["UPQUORUM_REDIS_URL"] == paths.redis_url
    assert os.environ["UPQUORUM_DATA_DIR"] == str(tmp_path)
    assert os.environ["UPQUORUM_ENCRYPTION_KEYS_FILE"] == str(tmp_path / "encryption-key")
    assert os.environ["UPQUORUM_CANARIES"] == "http://127.0.0.1:8000/healthz"


@pytest.mark.parametrize(
    ("given", "told"),
    [({}, None), ({"UPQUORUM_ALLOWED_HOSTS": "up.example.com"}, "127.0.0.1,up.example.com")],
)
def test_whoever_waits_for_the_web_process_is_answered(
    given: dict[str, str], told: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "environ", given)
    up.tell_children(Paths(tmp_path), 8000)
    assert os.environ.get("UPQUORUM_ALLOWED_HOSTS") == told
