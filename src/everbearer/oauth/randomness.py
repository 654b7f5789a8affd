"""Where all random values come from."""

from __future__ import annotations

import secrets

from everbearer.oauth.encoding import base64url


def random_bytes(length: int) -> bytes:
    """Return bytes from the operating system's cryptographic generator."""
    return secrets.token_bytes(length)


def random_fraction() -> float:
    """Return a number from 0 to below 1, each as likely as any other."""
    return secrets.randbits(53) / (1 << 53)


def random_letters(alphabet: str, length: int) -> str:
    """Return so many letters of an alphabet, each as likely as any other."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def random_id() -> str:
    """Return 16 random bytes in base64url: 22 characters, unguessable and unique.

    It never begins with a dash: people type it on command lines, where that would begin an option.
    """
    while (text := base64url(secrets.token_bytes(16))).startswith("-"):
        pass
    return text
