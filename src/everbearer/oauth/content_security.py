"""How a Content-Security-Policy names what a page of ours may run and load (CSP 3)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlsplit

from everbearer.oauth.redirect_uris import origin_of


def inline_source(code: str) -> str:
    """Return how a `script-src` or `style-src` names what stands in the page: by its hash, so that no other counts."""
    return f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'"


def frame_source(uri: str) -> str:
    """Return how a `frame-src` names where a frame is from: by its origin.

    An IPv6 address cannot be named as a host there (CSP 3 §2.3.1), so its scheme must do.
    """
    origin = origin_of(uri)
    return f"{urlsplit(uri).scheme}:" if "[" in origin else origin
