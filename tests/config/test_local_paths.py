"""Where the embedded environment lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.local.paths import DEFAULT_DATA_DIR, LONGEST_SOCKET_FOLDER, Paths


def test_sockets_lie_in_the_data_folder() -> None:
    assert Paths(Path("/srv/upquorum")).sockets == Path("/srv/upquorum/run")


def test_sockets_of_a_long_data_folder_lie_where_the_kernel_takes_their_path() -> None:
    first, second = (Paths(Path("/srv") / (letter * 100)).sockets for letter in "ab")
    assert len(str(first)) <= LONGEST_SOCKET_FOLDER
    assert first != second


def test_the_data_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UPQUORUM_DATA_DIR", str(tmp_path))
    assert Paths.from_environment() == Paths(tmp_path)
    monkeypatch.delenv("UPQUORUM_DATA_DIR")
    assert Paths.from_environment() == Paths(DEFAULT_DATA_DIR)
