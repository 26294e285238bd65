"""Secrets from the environment, or from the files that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes import env


@pytest.mark.parametrize(
    ("variables", "value"),
    [
        ({}, "default"),
        ({"UPQUORUM_X": "here"}, "here"),
        ({"UPQUORUM_X_FILE": "file"}, "in the file"),
        ({"UPQUORUM_X": "here", "UPQUORUM_X_FILE": "file"}, "here"),
        ({"UPQUORUM_X": "", "UPQUORUM_X_FILE": ""}, "default"),
    ],
)
def test_a_secret_may_come_in_a_file(
    variables: dict[str, str], value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the file\n")
    monkeypatch.chdir(tmp_path)
    for name, content in variables.items():
        monkeypatch.setenv(name, content)
    assert env.secret("X", "default") == value


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UPQUORUM_X_FILE", str(tmp_path / "none"))
    with pytest.raises(env.BadSetting, match=r"UPQUORUM_X_FILE: .*/none cannot be read: No such file"):
        env.secret("X")
