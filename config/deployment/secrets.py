"""Secrets of an installation of many containers: `python -m config.deployment.secrets FOLDER`.

Makes those that are not there yet, in one folder for each who is to read them. What follows from them is
written anew each time: the broker's users, so that a region that was added gets one, and the regions' copy
of the encryption keys, so that it is never an older one. Only files are written; nothing is shown.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from config.deployment import acl
from config.local.folder import make_secret
from probes import env

POSTGRES = "postgres:5432"
REDIS = "redis:6379"
OWNER_ONLY, ANY_READER = 0o400, 0o444
"""The servers' images have users of their own. Their folders are mounted nowhere else."""


def main(folder: Path, regions: list[str]) -> None:
    core, probe = folder / "core", folder / "probe"
    _make(core / "secret-key", secrets.token_urlsafe(50))
    _make(core / "metrics-token", secrets.token_urlsafe(32))
    encryption_keys = _make(core / "encryption-key", Fernet.generate_key().decode())
    _make_anew(probe / "encryption-key", encryption_keys)
    password = _make(folder / "database" / "password", secrets.token_urlsafe(32), ANY_READER)
    _make(core / "database-url", f"postgresql://upquorum:{password}@{POSTGRES}/upquorum")
    _make_broker_users(folder, regions)


def _make_broker_users(folder: Path, regions: list[str]) -> None:
    core = _broker_password(folder / "core" / "redis-url", acl.CORE)
    passwords = {
        region: _broker_password(folder / "probe" / f"redis-url-{region}", acl.regional_user(region))
        for region in regions
    }
    _make_anew(folder / "broker" / "users.acl", acl.render(core, passwords), ANY_READER)


def _broker_password(file: Path, user: str) -> str:
    """The password in a URL of the broker, which is made where there is none."""
    url = _make(file, f"redis://{user}:{secrets.token_urlsafe(32)}@{REDIS}/0")
    return urlsplit(url).password or ""


def _make(file: Path, content: str, mode: int = OWNER_ONLY) -> str:
    """What `file` holds, which is `content` where it did not exist."""
    make_secret(file, lambda: content)
    file.chmod(mode)
    return file.read_text().strip()


def _make_anew(file: Path, content: str, mode: int = OWNER_ONLY) -> None:
    """Let `file` hold `content`, whatever it held."""
    file.unlink(missing_ok=True)
    _make(file, content, mode)


if __name__ == "__main__":
    main(Path(sys.argv[1]), env.regions())
