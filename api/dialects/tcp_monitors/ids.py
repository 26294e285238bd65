"""Ids as /v1/tcp-monitors writes them: a prefix, then letters and digits."""

from __future__ import annotations

import hashlib
import re
import string

from api.fields import LARGEST_ID

DIGITS = string.digits + string.ascii_lowercase
SHORTEST = 6
MONITOR = re.compile(r"tcpm_([0-9a-z]{6,13})")


def encoded(number: int) -> str:
    """A monitor's id: its number in base 36."""
    text = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        text = DIGITS[digit] + text
    return f"tcpm_{text.rjust(SHORTEST, '0')}"


def decoded(text: str) -> int | None:
    """The number in a monitor's id; None where no monitor could have it."""
    match = MONITOR.fullmatch(text)
    number = int(match[1], len(DIGITS)) if match else 0
    return number if 0 < number <= LARGEST_ID and encoded(number) == text else None


def result_id(key: object) -> str:
    """The id of a result: a digest of its `key`, which has no number of its own."""
    return f"tcpr_{hashlib.blake2b(repr(key).encode(), digest_size=10).hexdigest()}"
