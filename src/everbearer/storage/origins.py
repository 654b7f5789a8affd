"""Web origins of a client (RFC 6454 §4): which pages may read our answers (CORS)."""

from __future__ import annotations

from urllib.parse import urlsplit

from everbearer.oauth.client import Client

_DEFAULT_PORTS = {"http": 80, "https": 443}


def web_origins(client: Client) -> frozenset[str]:
    """Return the origins of a client's redirect URIs as a browser spells them: lower case, no default port."""
    uris = (*client.redirect_uris, *client.post_logout_redirect_uris)
    return frozenset(origin for uri in uris if (origin := _origin(uri)))


def _origin(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"
