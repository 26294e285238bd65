"""What opens something to whoever knows it: a random text, handed out, and the digest that finds it."""

from __future__ import annotations

import hashlib
import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def random_text(length: int) -> str:
    """`length` letters and digits, of 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def digest_of(token: str) -> str:
    """64 hex digits. Tokens have 190 random bits and more: a slow password hash would protect none better."""
    # What strangers send may hold half a character.
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
