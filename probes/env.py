"""What every process reads from its environment, Django or not."""

from __future__ import annotations

import os
import re
import ssl
import sys
from importlib import import_module
from pathlib import Path

PREFIX = "UPQUORUM_"
REGION_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class BadSetting(ValueError):
    """An environment variable that cannot be used; the text names it and says what it takes."""


def text(name: str, default: str = "") -> str:
    """The value of `UPQUORUM_<name>`, or `default` when unset or empty."""
    return os.environ.get(PREFIX + name) or default


def secret(name: str, default: str = "") -> str:
    """`UPQUORUM_<name>`, else what the file `UPQUORUM_<name>_FILE` holds, else `default`.

    Raises `BadSetting` for a file that cannot be read.
    """
    file = text(f"{name}_FILE")
    if text(name) or not file:
        return text(name, default)
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise BadSetting(f"{PREFIX}{name}_FILE: {file} cannot be read: {error.strerror}") from error


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    """The value as a whole number of at least `minimum`; raises `BadSetting`."""
    raw = text(name, str(default))
    if not raw.isdecimal() or int(raw) < minimum:
        raise BadSetting(f"{PREFIX}{name} must be a whole number of at least {minimum}, not {raw!r}")
    return int(raw)


def words(name: str, default: str = "") -> list[str]:
    """The value as a list."""
    return listed(text(name, default))


def listed(value: str) -> list[str]:
    """The words of a list, split at commas; blanks are dropped."""
    return [word.strip() for word in value.split(",") if word.strip()]


def ca_file() -> str | None:
    """The PEM file of the authorities that are trusted instead of the usual ones; raises `BadSetting`."""
    if not (file := text("CA_FILE")):
        return None
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:  # an ssl.SSLError, too
        raise BadSetting(f"{PREFIX}CA_FILE: {file} cannot be read as certificates in PEM: {error}") from error
    return file


def regions() -> list[str]:
    """The regions of this installation, in the order that they take turns; raises `BadSetting`."""
    names = words("REGIONS", "eu,us,ap")
    for name in names:
        if not REGION_NAME.fullmatch(name):
            raise BadSetting(f"{PREFIX}REGIONS: {name!r} is not a name of a-z, 0-9 and '-', 32 at most")
    if not names or len(set(names)) != len(names):
        raise BadSetting(f"{PREFIX}REGIONS must name at least one region, each once")
    return names


def require(module: str, variable: str) -> None:
    """That `module` can be imported, for which `variable` asks; raises `BadSetting` with what installs it."""
    try:
        import_module(module)
    except ImportError as error:
        command = f"{sys.executable} -m pip install --require-hashes --requirement requirements/telemetry.txt"
        raise BadSetting(f"{variable} is set, but what it needs is not installed: {command}") from error
