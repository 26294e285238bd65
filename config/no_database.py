"""The settings without a database, for `make check`: with one, `makemigrations --check` asks it, too."""

from __future__ import annotations

from config.settings import *  # noqa: F403

DATABASES = {}
