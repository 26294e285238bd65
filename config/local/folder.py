"""The data folder: private, its secrets generated, used by one `make up` at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from config.local.paths import Paths


class CannotStart(Exception):
    """Something on this machine is in the way; the text names the variable that avoids it."""


def make_private(folder: Path) -> None:
    """Makes a folder that only this user can enter. One in a shared place may be somebody else's trap."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise CannotStart(f"{folder} belongs to another user: choose another folder with UPQUORUM_DATA_DIR")


def make_secret(file: Path, generate: Callable[[], str]) -> None:
    """Writes a generated secret once: aside, then renamed, so never half of one."""
    if file.exists():
        return
    unfinished = file.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(generate())
    unfinished.rename(file)


def take_lock(paths: Paths) -> IO[str]:
    """Claims the data folder for as long as the returned file is open; raises `CannotStart`."""
    file = (paths.data_dir / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise CannotStart(
            f"another `make up` runs on {paths.data_dir}: choose another folder with UPQUORUM_DATA_DIR"
        ) from error
    return file
