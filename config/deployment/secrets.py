"""Secrets of an installation of many containers: `python -m config.deployment.secrets FOLDER`.

Makes those that are not there yet, in one folder for each who is to read them, and the broker's users
anew each time, so that a region that was added gets one. Only files are written; nothing is shown.
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
    encryption_key = _make(core / "encryption-key", Fernet.generate_key().decode())
    _make(probe / "encryption-key", encryption_key)
    password = _make(folder / "database" / "password", secrets.token_urlsafe(32), ANY_READER)
    _make(core / "database-url", f"postgresql://upquorum:{password}@{POSTGRES}/upquorum")
    _make_broker_users(folder, regions)


def _make_broker_users(folder: Path, regions: list[str]) -> None:
    core = _broker_password(folder / "core" / "redis-url", acl.CORE)
    passwords = {
        region: _broker_password(folder / "probe" / f"redis-url-{region}", acl.regional_user(region))
        for region in regions
    }
    file = folder / "broker" / "users.acl"
    file.unlink(missing_ok=True)
    _make(file, acl.render(core, passwords), ANY_READER)


def _broker_password(file: Path, user: str) -> str:
    """The password in a URL of the broker, which is made where there is none."""
    url = _make(file, f"redis://{user}:{secrets.token_urlsafe(32)}@{REDIS}/0")
    return urlsplit(url).password or ""


def _make(file: Path, content: str, mode: int = OWNER_ONLY) -> str:
    """What `file` holds, which is `content` where it did not exist."""
    make_secret(file, lambda: content)
    file.chmod(mode)
    return file.read_text().strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]), env.regions())
