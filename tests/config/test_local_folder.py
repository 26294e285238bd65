"""The data folder is private, and one `make up` uses it at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.local import folder
from config.local.paths import Paths


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_made_folder_is_closed_to_others(tmp_path: Path) -> None:
    made = tmp_path / "some" / "where"
    folder.make_private(made)
    folder.make_private(made)
    assert mode(made) == 0o700


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(folder.CannotStart, match="UPQUORUM_DATA_DIR"):
        folder.make_private(tmp_path)


def test_a_secret_is_generated_once(tmp_path: Path) -> None:
    file = tmp_path / "secret-key"
    folder.make_secret(file, lambda: "first")
    folder.make_secret(file, lambda: "second")
    assert file.read_text() == "first"
    assert mode(file) == 0o600


def test_the_second_to_take_the_lock_is_told_what_to_change(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with folder.take_lock(paths), pytest.raises(folder.CannotStart, match="UPQUORUM_DATA_DIR"):
        folder.take_lock(paths)
    folder.take_lock(paths).close()
