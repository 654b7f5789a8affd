"""How values become text: compact JSON, and base64url without padding (RFC 7515 §2) in its one canonical form."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable

compact_json: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Return a value as JSON without spaces. Made once: `json.dumps` makes an encoder at each call."""


def base64url(data: bytes) -> str:
    """Return data in base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes | None:
    """Return what a text encodes; None if it is not the one text that encodes it."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, Error):
        return None
    return data if base64url(data) == text else None
