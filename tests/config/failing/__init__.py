"""Our own processes, with pages and tasks that fail over secrets."""

from __future__ import annotations

from typing import NoReturn

SECRETS = ("upq_planted", "hunter2", "whsec_planted", "feedtoken", "browser-of-mine")
"""An API key, a password in a URL, a webhook's secret, a token in a path, and what a browser says it is."""
URL = "https://me:hunter2@shop.example/"


def fail_over(url: str, secret: str) -> NoReturn:
    """Raise as a library would: with all it knows in the text."""
    try:
        raise ValueError(f"{url} is wrong")
    except ValueError as error:
        raise RuntimeError(f"{secret} cannot sign for {url}") from error
