"""How values become text: compact JSON, and base64url without padding (RFC 7515 §2) in its one canonical form."""

from __future__ import annotations

import json
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable

compact_json: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Return a value as JSON without spaces. Made once: `json.dumps` makes an encoder at each call."""


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/", b"+/**")
"""What stands for the two characters in plain base64 becomes what stands for nothing."""


def base64url(data: bytes) -> str:
    """Return data in base64url without padding."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode()


def from_base64url(text: str) -> bytes | None:
    """Return what a text encodes; None if it is not the one text that encodes it."""
    try:
        data = a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except (ValueError, Error):
        return None
    return data if base64url(data) == text else None
