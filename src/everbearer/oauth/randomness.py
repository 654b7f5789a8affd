"""Where all random values come from."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode


def random_bytes(length: int) -> bytes:
    """Return bytes from the operating system's cryptographic generator."""
    return secrets.token_bytes(length)


def random_id() -> str:
    """Return 16 random bytes in base64url: 22 characters, unguessable and unique."""
    return urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
