"""JSON as columns hold it."""

from __future__ import annotations

import msgspec


def json_text(value: object) -> str:
    """Return a value as JSON."""
    return msgspec.json.encode(value).decode()
