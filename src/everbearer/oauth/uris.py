"""URIs that clients name: what is one, which are of this very machine, of the web, and safe to be fetched."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, quote, urlencode, urlsplit

_URI = re.compile(r"[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+")
"""The characters of RFC 3986: no spaces, control characters, quotes, backslashes or letters beyond ASCII."""


def split_uri(uri: str) -> SplitResult | None:
    """Return the parts of a URI; None where it is none."""
    if not _URI.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts


def is_loopback(host: str | None) -> bool:
    """Return whether a host of a URI is this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_web_page(uri: str) -> bool:
    """Return whether a browser can show what a URI names."""
    parts = split_uri(uri)
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)


def is_safe_to_fetch(uri: str) -> bool:
    """Return whether what stands at a URI is what its owner put there: it is of https, or of this very machine."""
    parts = split_uri(uri)
    if parts is None or not parts.hostname or "@" in parts.netloc or "#" in uri:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def with_query(uri: str, members: Mapping[str, str]) -> str:
    """Return a URI with members added to its query, which keeps what is there."""
    if not members:
        return uri
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{urlencode(members, quote_via=quote)}"
