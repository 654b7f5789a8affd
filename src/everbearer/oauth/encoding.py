"""How values become text: compact JSON, and base64url without padding (RFC 7515 §2) in its one canonical form."""

from __future__ import annotations

import json
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import cast
from uuid import UUID


def _in_words_of_json(value: object) -> object:
    # What databases know and JSON does not, as msgspec writes it.
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case set() | frozenset():
            return list(cast("Iterable[object]", value))
        case _:
            raise TypeError(f"JSON has no word for an object of the type {type(value).__name__}")


_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_in_words_of_json).encode


def standard_json(value: object) -> bytes:
    """Return a value as JSON without spaces, in UTF-8, by the standard library."""
    return _encoded(value).encode()


def compact_json(value: object) -> bytes:
    """Return a value as JSON without spaces, in UTF-8."""
    return _fastest()(value)


@cache
def _fastest() -> Callable[[object], bytes]:
    # The ready server has msgspec, which writes the same several times as fast; the library does without it. Imported
    # when it is wanted, so that the library stays light to import.
    try:
        from msgspec.json import encode  # noqa: PLC0415
    except ImportError:
        return standard_json
    return encode


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
