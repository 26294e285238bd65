"""The secrets of an installation: made once, each where its reader finds it, and never shown."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from config.deployment import secrets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for reader in ("core", "database", "broker", "probe"):
        (tmp_path / reader).mkdir()
    secrets.main(tmp_path, ["eu", "us"])
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_each_reader_gets_what_it_needs_and_no_more(folder: Path) -> None:
    assert set(contents(folder)) == {
        "core/secret-key",
        "core/encryption-key",
        "core/metrics-token",
        "core/database-url",
        "core/redis-url",
        "database/password",
        "broker/users.acl",
        "probe/encryption-key",
        "probe/redis-url-eu",
        "probe/redis-url-us",
    }


def test_a_second_start_changes_nothing(folder: Path) -> None:
    before = contents(folder)
    secrets.main(folder, ["eu", "us"])
    assert contents(folder) == before


def test_a_region_more_is_a_user_more_and_the_others_keep_their_passwords(folder: Path) -> None:
    before = contents(folder)
    secrets.main(folder, ["eu", "us", "sa"])
    after = contents(folder)
    assert after.keys() - before.keys() == {"probe/redis-url-sa"}
    added = set(after["broker/users.acl"].splitlines()) - set(before["broker/users.acl"].splitlines())
    assert [line.split()[:2] for line in added] == [["user", "probe-sa"]]


def test_a_region_less_is_a_user_less(folder: Path) -> None:
    secrets.main(folder, ["eu"])
    assert "probe-us" not in (folder / "broker" / "users.acl").read_text()


def test_what_belongs_together_agrees(folder: Path) -> None:
    found = contents(folder)
    assert urlsplit(found["core/database-url"]).password == found["database/password"]
    assert found["core/encryption-key"] == found["probe/encryption-key"]
    Fernet(found["core/encryption-key"])


def test_keys_that_were_replaced_or_restored_reach_the_regions(folder: Path) -> None:
    keys = folder / "core" / "encryption-key"
    both = f"{Fernet.generate_key().decode()},{keys.read_text()}"
    keys.unlink()
    keys.write_text(f"{both}\n")
    secrets.main(folder, ["eu", "us"])
    assert (folder / "probe" / "encryption-key").read_text() == both
    assert {
        stat.S_IMODE((folder / reader / "encryption-key").stat().st_mode) for reader in ("core", "probe")
    } == {0o400}


def test_the_broker_keeps_no_password(folder: Path) -> None:
    found = contents(folder)
    for url in ("core/redis-url", "probe/redis-url-eu", "probe/redis-url-us"):
        password = urlsplit(found[url]).password
        assert password
        assert password not in found["broker/users.acl"]


def test_only_what_another_user_must_read_is_readable_to_others(folder: Path) -> None:
    readable = {
        name for name in contents(folder) if (folder / name).stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)
    }
    assert readable == {"database/password", "broker/users.acl"}


def test_nothing_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets.main(folder, ["eu", "us", "sa"])
    assert capsys.readouterr() == ("", "")
