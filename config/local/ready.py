"""Waits until Upquorum is ready, then says where it is and what to try first."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

from config.local.paths import Paths
from config.local.waiting import wait_until

START_SECONDS = 120

BANNER = """
Upquorum is ready at {url}
API key: {key}  (kept in {file})

Create a monitor:

curl -X POST {url}/api/v1/monitors -H 'Authorization: Bearer {key}' \
-H 'Content-Type: application/json' -d '{{"name":"example","url":"https://example.com","type":"http"}}'

Admin: {url}/admin/  (make yourself staff: `.venv/bin/python manage.py createsuperuser`)
"""
NO_KEY = "make one with `.venv/bin/python manage.py create_key`"


def is_ready(url: str) -> bool:
    """Whether the web process says that it can do its work."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5):  # noqa: S310
            return True
    except OSError:
        return False


def banner(url: str, paths: Paths) -> str:
    """What a newcomer wants to know. Without its file a key cannot be shown: only its digest is stored."""
    key = paths.api_key.read_text().strip() if paths.api_key.exists() else NO_KEY
    return BANNER.format(url=url, key=key, file=paths.api_key)


def main(port: str) -> None:
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: is_ready(url), f"{url}/readyz", seconds=START_SECONDS)
    print(banner(url, Paths.from_environment()), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
